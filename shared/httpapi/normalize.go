package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// maxFormMemory bounds what a text-only form may take, in bytes.
const maxFormMemory = 64 << 10

// normalized rewrites what tolerant clients send into the one form operations
// declare: aliases become first names, forms become the JSON body.
func (a *API) normalized(o Operation, next http.Handler) http.Handler {
	if len(o.Aliases) == 0 && !o.Forms {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		if o.Forms {
			if err := formToJSON(r); err != nil {
				a.refuse(w, r, err)
				return
			}
		}
		if len(o.Aliases) > 0 {
			renameQuery(r, o.Aliases)
			if err := renameBody(r, o.Aliases); err != nil {
				a.refuse(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// formToJSON replaces a form body, or an absent one, by the JSON object of its
// fields. Query parameters fill in for an absent body alone.
func formToJSON(r *http.Request) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var fields url.Values
	switch media {
	case "application/x-www-form-urlencoded":
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return bodyFault(err)
		}
		if fields, err = url.ParseQuery(string(raw)); err != nil {
			return problem.New(problem.Invalid, "malformed_body")
		}
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxFormMemory); err != nil {
			return bodyFault(err)
		}
		fields = r.MultipartForm.Value
	default:
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return bodyFault(err)
		}
		if len(bytes.TrimSpace(raw)) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(raw))
			return nil
		}
		fields = r.URL.Query()
	}
	object := make(map[string]string, len(fields))
	for name, values := range fields {
		object[name] = values[0]
	}
	return setBody(r, object)
}

// inOrder are the aliases by name: of two for the same member the first is read, each time the same.
func inOrder(aliases map[string]string) []string { return slices.Sorted(maps.Keys(aliases)) }

func renameQuery(r *http.Request, aliases map[string]string) {
	q := r.URL.Query()
	changed := false
	for _, from := range inOrder(aliases) {
		to := aliases[from]
		if values, ok := q[from]; ok && !q.Has(to) {
			q[to] = values
			q.Del(from)
			changed = true
		}
	}
	if changed {
		u := *r.URL
		u.RawQuery = q.Encode()
		r.URL = &u
	}
}

// renameBody renames the members of a JSON object, and of the objects in its
// arrays (a batch). A body that is no JSON object passes as it is, for the
// operation's own schema to refuse.
func renameBody(r *http.Request, aliases map[string]string) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Body == nil || strings.HasPrefix(media, "multipart/") {
		return nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyFault(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return nil
	}
	if !renameMembers(object, aliases, 2) {
		return nil
	}
	return setBody(r, object)
}

func renameMembers(object map[string]json.RawMessage, aliases map[string]string, depth int) bool {
	changed := false
	for _, from := range inOrder(aliases) {
		to := aliases[from]
		value, sent := object[from]
		if _, taken := object[to]; sent && !taken {
			object[to] = value
			delete(object, from)
			changed = true
		}
	}
	if depth == 1 {
		return changed
	}
	for name, value := range object {
		var elements []map[string]json.RawMessage
		if len(value) == 0 || value[0] != '[' || json.Unmarshal(value, &elements) != nil {
			continue
		}
		inner := false
		for _, element := range elements {
			inner = element != nil && renameMembers(element, aliases, depth-1) || inner
		}
		if inner {
			if encoded, err := json.Marshal(elements); err == nil {
				object[name], changed = encoded, true
			}
		}
	}
	return changed
}

func setBody(r *http.Request, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return problem.New(problem.Invalid, "malformed_body")
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	r.ContentLength = int64(len(raw))
	r.Header = r.Header.Clone()
	r.Header.Set("Content-Type", "application/json")
	return nil
}

func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problem.New(problem.TooLarge, "too_large")
	}
	return problem.New(problem.Invalid, "malformed_body").Because(err)
}

package httpapi

import (
	"context"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/lafaekstreet/backend/shared/problem"
)

// maxFormMemory bounds what a text-only form may take, in bytes.
const maxFormMemory = 64 << 10

// fieldsOf are the fields of a urlencoded form. Query parameters stand in for an absent body.
func fieldsOf(r *http.Request, media string, raw []byte) (url.Values, error) {
	if media != mediaURLEncoded {
		return r.URL.Query(), nil
	}
	fields, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, problem.New(problem.Invalid, "malformed_body")
	}
	return fields, nil
}

// jsonOfForm has r carry the JSON object of a form's fields, each with its first value.
func jsonOfForm(r *http.Request, fields map[string][]string) (body, error) {
	object := make(map[string]string, len(fields))
	for name, values := range fields {
		object[name] = values[0]
	}
	text, err := json.Marshal(object)
	if err != nil {
		return body{}, problem.New(problem.Invalid, "malformed_body")
	}
	b := body{text: withoutNUL(text)}
	b.into(r)
	setJSON(r)
	return b, nil
}

// ReadMultipart reads a multipart form that carries a picture: its text fields as
// members of the JSON body, and ctx with the picture for the operation.
type ReadMultipart func(ctx context.Context, form *multipart.Reader) (context.Context, map[string]any, error)

// withUpload reads a multipart form with the operation's ReadMultipart. It runs
// when the request's key is claimed: a repeat is answered without reading the picture again.
func (a *API) withUpload(rules inputRules, next http.Handler) http.Handler {
	if rules.operation.Multipart == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != mediaMultipart {
			next.ServeHTTP(w, r)
			return
		}
		ctx, members, err := rules.operation.Multipart(r.Context(), multipart.NewReader(r.Body, params["boundary"]))
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		r = r.WithContext(ctx)
		rename(members, rules.aliases)
		if rules.schema != nil {
			Respell(rules.registry, rules.schema, members)
		}
		text, err := json.Marshal(members)
		if err != nil {
			a.refuse(w, r, problem.New(problem.Invalid, "malformed_body").Because(err))
			return
		}
		(&body{text: text}).into(r)
		setJSON(r)
		next.ServeHTTP(w, r)
	})
}

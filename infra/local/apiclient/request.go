package apiclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// Request is one call.
type Request struct {
	// Method is an HTTP method; empty is GET.
	Method string
	// Path is below /api/v1, or from the root when it starts with "//".
	Path string
	// Token replaces the client's token unless it is empty.
	Token string
	// Body is sent as its type says: nil sends none, a []byte goes as it is and counts as JSON, url.Values as a form, Raw
	// and Form as they describe, and any other value as its JSON.
	Body any
	// Header is added to the request, by canonical names. "Host" replaces the host.
	Header http.Header
}

// Raw is a body of any media type.
type Raw struct {
	ContentType string
	Body        []byte
}

// Form is a multipart form with at most one file.
type Form struct {
	Fields map[string]string
	// FileField is the name of the file's field. Empty sends no file.
	FileField, FileName string
	File                []byte
}

// String is the method and the path.
func (r Request) String() string {
	return cmp.Or(r.Method, http.MethodGet) + " " + r.Path
}

// Target is the path and the query from the root.
func (r Request) Target() string {
	if rest, ok := strings.CutPrefix(r.Path, "//"); ok {
		return "/" + rest
	}
	return "/api/v1" + r.Path
}

// encode returns the body and its media type, which is empty when there is no body.
func (r Request) encode() (io.Reader, string, error) {
	switch b := r.Body.(type) {
	case nil:
		return nil, "", nil
	case []byte:
		return bytes.NewReader(b), "application/json", nil
	case url.Values:
		return strings.NewReader(b.Encode()), "application/x-www-form-urlencoded", nil
	case Raw:
		return bytes.NewReader(b.Body), b.ContentType, nil
	case Form:
		return b.encode()
	}
	raw, err := json.Marshal(r.Body)
	return bytes.NewReader(raw), "application/json", err
}

func (f Form) encode() (io.Reader, string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range f.Fields {
		if err := w.WriteField(name, value); err != nil {
			return nil, "", err
		}
	}
	if f.FileField != "" {
		part, err := w.CreateFormFile(f.FileField, f.FileName)
		if err == nil {
			_, err = part.Write(f.File)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return &body, w.FormDataContentType(), w.Close()
}

package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// maxFormMemory bounds what a text-only form may take, in bytes.
const maxFormMemory = 64 << 10

// jsonOfForm makes a JSON object of a form's fields the body of r. Each member has the first value of its field.
func jsonOfForm(r *http.Request, fields map[string][]string) (body, error) {
	object := make(map[string]string, len(fields))
	for name, values := range fields {
		object[name] = values[0]
	}
	text, err := json.Marshal(object)
	if err != nil {
		return body{}, errMalformedBody
	}
	b := body{text: withoutNUL(text)}
	b.into(r)
	setJSON(r)
	return b, nil
}

// ReadMultipart reads a multipart form that carries pictures: its text fields as
// members of the JSON body, ctx with the pictures for the operation, and the SHA-256
// of each picture.
type ReadMultipart func(ctx context.Context, form *multipart.Reader) (context.Context, map[string]any, [][sha256.Size]byte, error)

// readForm reads a multipart form with the operation's ReadMultipart. The members have the names and spellings of the schema.
func (i inputRules) readForm(ctx context.Context, contentType string, text io.Reader) (context.Context, map[string]any, [][sha256.Size]byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ctx, nil, nil, errMalformedBody
	}
	ctx, members, files, err := i.operation.Multipart(ctx, multipart.NewReader(text, params["boundary"]))
	if err != nil {
		return ctx, nil, nil, err
	}
	rename(members, i.aliases)
	if i.schema != nil {
		Respell(i.registry, i.schema, members)
	}
	return ctx, members, files, nil
}

// withUpload reads a multipart form for the operation. It runs when the request's key is claimed.
func (a *API) withUpload(rules inputRules, next http.Handler) http.Handler {
	if rules.operation.Multipart == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if mediaOf(r) != mediaMultipart {
			next.ServeHTTP(w, r)
			return
		}
		ctx, members, _, err := rules.readForm(r.Context(), r.Header.Get("Content-Type"), r.Body)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		r = r.WithContext(ctx)
		rules.tolerate(ctx, members)
		text, err := json.Marshal(members)
		if err != nil {
			a.refuse(w, r, errMalformedBody.Because(err))
			return
		}
		(&body{text: text}).into(r)
		setJSON(r)
		next.ServeHTTP(w, r)
	})
}

package open311

import (
	"bytes"
	"errors"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/upload"
)

// form is the body of a request that writes. Fields without a value are left out: an empty parameter counts as absent.
type form struct {
	fields []upload.Field // in the order of the body
	files  []upload.File
}

// texts are the fields that stay text whatever their parts of a multipart form look like.
func texts() []string {
	return []string{"api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "email", "device_id", "account_id",
		"first_name", "last_name", "phone", "description", "media_url"}
}

// readForm reads a body: the fields of a form, urlencoded or multipart, and in the latter files. A body without a content type is read as
// urlencoded. It fails with a problem.
func readForm(contentType string, body []byte) (form, error) {
	media, params, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "", err == nil && media == "application/x-www-form-urlencoded":
		return urlencoded(body)
	case err == nil && media == "multipart/form-data" && params["boundary"] != "":
		files, fields, err := upload.ReadForm(multipart.NewReader(bytes.NewReader(body), params["boundary"]), texts())
		if errors.Is(err, upload.ErrUseDirect) {
			return form{}, problem.InvalidField("media", "at most 4.5 MB: name the address of a larger picture in media_url")
		}
		return form{fields: sent(fields), files: files}, err
	}
	return form{}, problem.InvalidField("body", "expected application/x-www-form-urlencoded or multipart/form-data")
}

// urlencoded reads the fields of a body, in its order. It has as many of them, and as many bytes, as a multipart form at the most.
func urlencoded(body []byte) (form, error) {
	if len(body) > upload.MaxFields || bytes.Count(body, []byte{'&'}) >= upload.MaxParts {
		return form{}, problem.New(problem.TooLarge, "too_large")
	}
	var fields []upload.Field
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if err := errors.Join(errName, errValue); err != nil {
			return form{}, problem.New(problem.Invalid, "malformed_body").Because(err)
		}
		fields = append(fields, upload.Field{Name: name, Value: value})
	}
	return form{fields: sent(fields)}, nil
}

// sent are the fields that have a value.
func sent(fields []upload.Field) []upload.Field {
	var out []upload.Field
	for _, f := range fields {
		if f.Value = strings.TrimSpace(f.Value); f.Name != "" && f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

// all are the values of a field, each once.
func (f form) all(name string) []string {
	var out []string
	for _, field := range f.fields {
		if field.Name == name && !slices.Contains(out, field.Value) {
			out = append(out, field.Value)
		}
	}
	return out
}

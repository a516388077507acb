package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// MaxThroughAPI is the largest picture that comes through the API, in bytes: a
// Lambda takes 6 MB, and what it takes is base64. Larger ones go straight to S3.
const MaxThroughAPI = 4_500_000

// MaxBody is the request body an operation with Form reads, in bytes. It is
// above what the gateway lets through, so that the answer to too large a
// picture names the way out.
const MaxBody = 12 << 20

// maxFields bounds the text parts of a form, in bytes.
const maxFields = 256 << 10

// File is a picture that came in a form.
type File struct {
	Bytes []byte
}

type fileKey struct{}

// FileFrom is the file of the request; ok is false when it was plain JSON or had none.
func FileFrom(ctx context.Context) (File, bool) {
	f, ok := ctx.Value(fileKey{}).(File)
	return f, ok
}

// Form lets an operation that takes a JSON object also take its members as a
// multipart form, with one file in a part named file, image or images. Members
// are renamed by aliases and read as numbers, booleans or JSON where they look
// like it and their name is not among texts.
func Form(aliases map[string]string, texts ...string) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != "multipart/form-data" {
			next(hc)
			return
		}
		file, members, err := readForm(multipart.NewReader(r.Body, params["boundary"]), texts)
		if err != nil {
			problem.DocumentOf(err, locale.FromContext(r.Context()), telemetry.RequestID(r.Context())).Write(w)
			return
		}
		for _, from := range slices.Sorted(maps.Keys(aliases)) { // of two for the same member the first, each time the same
			to := aliases[from]
			if v, ok := members[from]; ok && members[to] == nil {
				members[to] = v
				delete(members, from)
			}
		}
		body, _ := json.Marshal(members) // of raw messages that were checked or made by Marshal
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if file != nil {
			hc = huma.WithValue(hc, fileKey{}, *file)
		}
		next(hc)
	}
}

func readForm(form *multipart.Reader, texts []string) (*File, map[string]json.RawMessage, error) {
	var file *File
	values := make(map[string]string)
	size := 0
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return file, encoded(values, texts), nil
		}
		if err != nil {
			return nil, nil, formFault(err)
		}
		if isFile(part) {
			if file != nil {
				return nil, nil, problem.InvalidField(part.FormName(), "one file a request")
			}
			if file, err = readFile(part); err != nil {
				return nil, nil, err
			}
			continue
		}
		raw, err := io.ReadAll(io.LimitReader(part, maxFields+1))
		if err != nil {
			return nil, nil, formFault(err)
		}
		if size += len(raw); size > maxFields {
			return nil, nil, problem.New(problem.TooLarge, "too_large")
		}
		values[part.FormName()] = string(raw)
	}
}

func isFile(part *multipart.Part) bool {
	switch part.FormName() {
	case "file", "image", "images", "photo":
		return part.FileName() != "" || strings.HasPrefix(part.Header.Get("Content-Type"), "image/")
	}
	return part.FileName() != ""
}

func readFile(part *multipart.Part) (*File, error) {
	raw, err := io.ReadAll(io.LimitReader(part, MaxThroughAPI+1))
	if err != nil {
		return nil, formFault(err)
	}
	if len(raw) > MaxThroughAPI {
		return nil, errUseDirect
	}
	return &File{Bytes: raw}, nil
}

var errUseDirect = problem.New(problem.TooLarge, "use_direct_upload")

func formFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errUseDirect
	}
	return problem.New(problem.Invalid, "malformed_body").Because(err)
}

// encoded are the values as JSON. Every member of a form is text; where another
// kind would be read as such, it is one.
func encoded(values map[string]string, texts []string) map[string]json.RawMessage {
	text := make(map[string]bool, len(texts))
	for _, name := range texts {
		text[name] = true
	}
	out := make(map[string]json.RawMessage, len(values))
	for name, value := range maps.All(values) {
		trimmed := strings.TrimSpace(value)
		if lower := strings.ToLower(trimmed); !text[name] && (lower == "true" || lower == "false") { // True, as some languages write it
			trimmed = lower
		}
		if !text[name] && trimmed != "" && json.Valid([]byte(trimmed)) {
			out[name] = json.RawMessage(trimmed)
			continue
		}
		if trimmed == "" {
			continue // an empty field of a form is one left blank
		}
		raw, _ := json.Marshal(value) // a string always encodes
		out[name] = raw
	}
	return out
}

// Describe adds the form to an operation's documentation.
func Describe(op *huma.Operation, doc string) {
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/json": {},
		"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject, Description: doc, AdditionalProperties: true,
			Properties: map[string]*huma.Schema{
				"file": {Type: huma.TypeString, Format: "binary", Description: "JPEG, PNG or WebP by content, at most 4.5 MB (also: image, images)"},
			},
		}},
	}}
}

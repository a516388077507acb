package upload

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
)

// MaxThroughAPI is the largest picture that may come through the API, in bytes: a Lambda request has at most 6 MB, in
// base64. Larger pictures go straight to S3.
const MaxThroughAPI = 4_500_000

// MaxBody is the largest request body of an operation with Form, in bytes. It is above the limit of the gateway, so that
// the answer to a picture that is too large can say to upload it directly.
const MaxBody = 12 << 20

// maxFields is the largest size of all text parts of a form together, in bytes.
const maxFields = 256 << 10

// File is a picture that came in a form.
type File struct {
	Bytes []byte
}

type fileKey struct{}

// FileFrom returns the file of the request; false when the request was plain JSON or had no file.
func FileFrom(ctx context.Context) (File, bool) {
	f, ok := ctx.Value(fileKey{}).(File)
	return f, ok
}

// Form returns a reader of multipart forms. The fields become members of a JSON object. A field whose name is not in texts
// is parsed if it is a number, a boolean or JSON. The form may have one file, in a part named file, image, images or photo.
// The reader puts the file into the context: see FileFrom.
func Form(texts ...string) func(context.Context, *multipart.Reader) (context.Context, map[string]any, error) {
	return func(ctx context.Context, form *multipart.Reader) (context.Context, map[string]any, error) {
		file, members, err := readForm(form, texts)
		if err != nil {
			return ctx, nil, err
		}
		if file != nil {
			ctx = context.WithValue(ctx, fileKey{}, *file)
		}
		return ctx, members, nil
	}
}

func readForm(form *multipart.Reader, texts []string) (*File, map[string]any, error) {
	var file *File
	values := make(map[string]string)
	size := 0
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return file, parseFields(values, texts), nil
		}
		if err != nil {
			return nil, nil, formProblem(err)
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
			return nil, nil, formProblem(err)
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
		return nil, formProblem(err)
	}
	if len(raw) > MaxThroughAPI {
		return nil, errUseDirect
	}
	return &File{Bytes: raw}, nil
}

var errUseDirect = problem.New(problem.TooLarge, "use_direct_upload")

func formProblem(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errUseDirect
	}
	return problem.New(problem.Invalid, "malformed_body").Because(err)
}

// parseFields returns the members that the fields of a form stand for. A field in texts stays text.
func parseFields(values map[string]string, texts []string) map[string]any {
	out := make(map[string]any, len(values))
	for name, value := range values {
		if strings.TrimSpace(value) == "" {
			continue // an empty field counts as not sent
		}
		out[name] = value
		if !slices.Contains(texts, name) {
			out[name] = parseValue(value)
		}
	}
	return out
}

// parseValue is the JSON value that text spells, or text itself.
func parseValue(text string) any {
	trimmed := strings.TrimSpace(text)
	if lower := strings.ToLower(trimmed); lower == "true" || lower == "false" { // True, as some languages write it
		return lower == "true"
	}
	if !json.Valid([]byte(trimmed)) {
		return text
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.UseNumber() // numbers keep their digits
	var value any
	if decoder.Decode(&value) != nil {
		return text
	}
	return value
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

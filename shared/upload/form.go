package upload

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// MaxThroughAPI is the largest picture that may come through the API, in bytes: a Lambda request has at most 6 MB, in
// base64. Larger pictures go straight to S3.
const MaxThroughAPI = 4_500_000

// MaxBody is the largest request body of an operation with Form, in bytes. It is above the limit of the gateway, so that
// the answer to a picture that is too large can say to upload it directly.
const MaxBody = 12 << 20

// MaxFields is the largest size of all text parts of a form together, in bytes.
const MaxFields = 256 << 10

// File is a picture that came in a form.
type File struct {
	Bytes []byte
}

type filesKey struct{}

// FilesFrom returns the pictures of the request's form, in the order of the form. The result is empty where the request
// was plain JSON.
func FilesFrom(ctx context.Context) []File {
	files, _ := ctx.Value(filesKey{}).([]File)
	return files
}

// FileFrom returns the picture of a form that has one at most; false where there is none. It fails with a 422 where there
// are more.
func FileFrom(ctx context.Context) (File, bool, error) {
	files := FilesFrom(ctx)
	switch len(files) {
	case 0:
		return File{}, false, nil
	case 1:
		return files[0], true, nil
	}
	return File{}, false, problem.InvalidField("file", "one file a request")
}

// Form returns a reader of multipart forms. The fields become members of a JSON object. A field whose name is not in texts
// is parsed if it is a number, a boolean or JSON; see formFields.members. The reader puts the pictures into the context (see
// FilesFrom) and returns their SHA-256. Which part is a picture: see isFile.
func Form(texts ...string) func(context.Context, *multipart.Reader) (context.Context, map[string]any, [][sha256.Size]byte, error) {
	return func(ctx context.Context, form *multipart.Reader) (context.Context, map[string]any, [][sha256.Size]byte, error) {
		files, fields, err := ReadForm(form, texts)
		if err != nil {
			return ctx, nil, nil, err
		}
		members := formFields(fields).members(texts, warning.FromContext(ctx))
		sums := make([][sha256.Size]byte, len(files))
		for i, file := range files {
			sums[i] = sha256.Sum256(file.Bytes)
		}
		return context.WithValue(ctx, filesKey{}, files), members, sums, nil
	}
}

// Field is a text part of a form.
type Field struct{ Name, Value string }

// MaxParts is the largest number of parts of a form.
const MaxParts = 1000

// ReadForm reads a form: its pictures and its fields, both in the order of the form. The fields in texts are text; which other part is a
// picture: see isFile. It fails with a problem for a form that is too large or cannot be read.
func ReadForm(form *multipart.Reader, texts []string) ([]File, []Field, error) {
	var files []File
	var fields []Field
	size := 0
	for parts := 0; ; parts++ {
		next, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return files, fields, nil
		}
		if err != nil {
			return nil, nil, formProblem(err)
		}
		if parts == MaxParts {
			return nil, nil, errFormTooLarge
		}
		part, err := open(next)
		if err != nil {
			return nil, nil, err
		}
		if part.isFile(texts) {
			file, err := part.readFile()
			if err != nil {
				return nil, nil, err
			}
			files = append(files, file)
			continue
		}
		raw, err := io.ReadAll(io.LimitReader(part.content, MaxFields+1))
		if err != nil {
			return nil, nil, formProblem(err)
		}
		if size += len(raw); size > MaxFields {
			return nil, nil, errFormTooLarge
		}
		fields = append(fields, Field{part.FormName(), string(raw)})
	}
}

// headBytes is how many bytes of a part decide whether it is a file. Fields with JSON are shorter.
const headBytes = 4096

// formPart is a part of a form whose first bytes are known.
type formPart struct {
	*multipart.Part
	head    []byte    // at most headBytes
	content io.Reader // all bytes, with head
}

func open(part *multipart.Part) (formPart, error) {
	content := bufio.NewReaderSize(part, headBytes)
	head, err := content.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return formPart{}, formProblem(err)
	}
	return formPart{Part: part, head: head, content: content}, nil
}

// isFile reports whether a part counts as a picture. Then it is one, or the request is refused: a picture that a phone
// sends is never dropped. The bytes decide first: those of a picture count whatever the part's name, file name and type
// are. Other bytes count where they are no text, or where the sender calls them a file. The fields in texts are text.
func (p formPart) isFile(texts []string) bool {
	if _, picture := Sniff(p.head); picture || isISOMedia(p.head) || p.hasFileName() {
		return true
	}
	media, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
	switch {
	case slices.Contains(texts, p.FormName()):
		return false
	case strings.HasPrefix(media, "image/"):
		return true
	case len(bytes.TrimSpace(p.head)) == 0: // a file field of a browser that nobody filled in
		return false
	case hasBinary(p.head):
		return true
	}
	return p.calledFile(media) && !isValue(string(p.head))
}

// calledFile reports whether the name or the type of a part says that it is a file. The field images may also be text: it
// names uploads.
func (p formPart) calledFile(media string) bool {
	switch p.FormName() {
	case "file", "image", "photo", "picture":
		return true
	}
	return media != "" && media != "application/json" && media != "application/x-www-form-urlencoded" && !strings.HasPrefix(media, "text/")
}

// hasFileName reports whether the sender gave the part a file name. A file name with quotes or colons makes the header
// unreadable; such a part has no name either.
func (p formPart) hasFileName() bool {
	if p.FileName() != "" {
		return true
	}
	disposition := p.Header.Get("Content-Disposition")
	_, _, err := mime.ParseMediaType(disposition)
	return err != nil && strings.Contains(strings.ToLower(disposition), "filename")
}

// hasBinary reports whether the bytes have one that no text has (https://mimesniff.spec.whatwg.org, binary data byte).
func hasBinary(head []byte) bool {
	return slices.ContainsFunc(head, func(b byte) bool {
		return b <= 0x08 || b == 0x0b || b >= 0x0e && b <= 0x1a || b >= 0x1c && b <= 0x1f
	})
}

func (p formPart) readFile() (File, error) {
	raw, err := io.ReadAll(io.LimitReader(p.content, MaxThroughAPI+1))
	if err != nil {
		return File{}, formProblem(err)
	}
	if len(raw) > MaxThroughAPI {
		return File{}, ErrUseDirect
	}
	return File{Bytes: raw}, nil
}

func formProblem(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return ErrUseDirect
	}
	return problem.New(problem.Invalid, "malformed_body").Because(err)
}

// Describe adds the form to an operation's documentation. The form has the name as its schema, the file, and the members of
// the JSON body as fields.
func Describe(op *huma.Operation, name, doc string, members ...string) {
	form := &huma.Schema{
		Title: name, Type: huma.TypeObject, Description: doc,
		Properties: map[string]*huma.Schema{
			"file": {Type: huma.TypeString, Format: "binary", Description: "JPEG, PNG or WebP, at most 4.5 MB. The bytes decide; the name, the file name and the type of the part do not count"},
		},
	}
	for _, member := range members {
		form.Properties[member] = &huma.Schema{} // as in the JSON body
	}
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {}, "multipart/form-data": {Schema: form}}}
}

package apiclient

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Response is a response that was read to its end.
type Response struct {
	// Request is the method and the path that it answers.
	Request string
	Status  int
	Header  http.Header
	// Body is as it was received: compressed when its header says so and the client asked for it.
	Body []byte
}

// Plain is the body, decompressed where it is compressed.
func (r Response) Plain() ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" || len(r.Body) == 0 { // a 304 has the header and no body
		return r.Body, nil
	}
	unzip, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return io.ReadAll(unzip)
}

// Object is the body as a JSON object. It is empty when the body is none.
func (r Response) Object() Object {
	var o Object
	_ = r.Decode(&o.Values) // another kind of body leaves it empty
	return o
}

// Code is the code of a problem document, and empty for any other body.
func (r Response) Code() string { return r.Object().Text("code") }

// Object is a JSON object.
type Object struct{ Values map[string]any }

// At is the value at a path of members, such as "ai.status". It is nil where there is none.
func (o Object) At(path string) any {
	var v any = o.Values
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// Text is the string at path, or empty.
func (o Object) Text(path string) string {
	s, _ := o.At(path).(string)
	return s
}

// Number is the number at path, or 0.
func (o Object) Number(path string) float64 {
	n, _ := o.At(path).(float64)
	return n
}

// Items are the objects of the array at path.
func (o Object) Items(path string) []Object {
	list, _ := o.At(path).([]any)
	var out []Object
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			out = append(out, Object{m})
		}
	}
	return out
}

// UnmarshalJSON makes an Object of a JSON object.
func (o *Object) UnmarshalJSON(raw []byte) error { return json.Unmarshal(raw, &o.Values) }

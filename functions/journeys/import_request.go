package journeys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/upload"
)

// maxImportBody bounds the body of an import as it was sent, in bytes; larger files go straight to S3.
const maxImportBody = upload.MaxThroughAPI

// multipartOverhead bounds the parts of a form that are not the file, in bytes.
const multipartOverhead = 16 << 10

// maxImportRequest bounds an importRequest, in bytes. A longer body is a file.
const maxImportRequest = 4 << 10

type importInput struct {
	JourneyID   uuid.UUID `path:"journey_id" format:"uuid"`
	ContentType string    `header:"Content-Type" hidden:"true"`
	Encoding    string    `header:"Content-Encoding" hidden:"true"`
	RawBody     []byte
}

// importRequest is the body of an import that is not the file itself. It asks for an address (ContentType, SizeBytes), or
// names a file that was sent there (UploadID).
type importRequest struct {
	UploadID    *string      `json:"upload_id"`
	ContentType *string      `json:"content_type"`
	SizeBytes   *json.Number `json:"size_bytes"`
}

// request returns the importRequest in the body, or nil if the body is a file. A JSON text with a type is GeoJSON.
func (in *importInput) request() *importRequest {
	if in.Encoding != "" && !strings.EqualFold(in.Encoding, "identity") || len(in.RawBody) > maxImportRequest {
		return nil
	}
	raw := bytes.TrimRight(bytes.TrimPrefix(in.RawBody, []byte("\xef\xbb\xbf")), "\x00")
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members["type"] != nil {
		return nil
	}
	r := &importRequest{}
	if err := json.Unmarshal(raw, r); err != nil { // a member of a wrong type: the others are read
		var fault *json.UnmarshalTypeError
		if !errors.As(err, &fault) {
			return nil
		}
	}
	if members["upload_id"] == nil && members["content_type"] == nil && members["size_bytes"] == nil {
		return nil
	}
	if id := members["upload_id"]; r.UploadID == nil && id != nil && string(id) != "null" {
		r.UploadID = new(string) // no text, so no id
	}
	return r
}

// openFile returns the file of an import, unpacked: from the body, from a form in it, or from S3. The caller closes it. An
// error of openFile or of Read is a *problem.Error; a reader of the file must return it as it is, or wrapped.
func (g *Group) openFile(ctx context.Context, in *importInput) (io.ReadCloser, error) {
	if r := in.request(); r != nil && r.UploadID != nil {
		return g.openUpload(ctx, in.JourneyID, *r.UploadID)
	}
	none := io.NopCloser(nil) // nothing has to be closed
	media, params, err := mime.ParseMediaType(in.ContentType)
	if err != nil || media != "multipart/form-data" {
		body, err := in.body()
		if err != nil {
			return nil, err
		}
		return unpackFile(body, none)
	}
	file, err := formFile(in.body, params["boundary"])
	if err != nil {
		return nil, err
	}
	return unpackFile(file, none)
}

// body returns a reader of the body from its beginning, unpacked if it was packed.
func (in *importInput) body() (io.Reader, error) {
	raw := bytes.NewReader(in.RawBody)
	if !httpapi.IsGzip(in.Encoding) {
		return raw, nil
	}
	return unpack(raw, trackfile.MaxBytes+multipartOverhead)
}

// importBody documents the bodies of an import.
func importBody() *huma.RequestBody {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	text := func(format, doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: format, Description: doc}
	}
	body := &huma.RequestBody{Required: true, Description: "A GPX or GeoJSON file of at most 20 MB, and of at most 4.5 MB as sent; it may be packed with gzip " +
		"(Content-Encoding: gzip). For a larger file: JSON with content_type and size_bytes asks for an address, and after the file was sent there, JSON with upload_id imports it.",
		Content: map[string]*huma.MediaType{
			"multipart/form-data": {Schema: &huma.Schema{Title: "ImportForm", Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": file}, Required: []string{"file"}}},
			"application/json": {Schema: &huma.Schema{Title: "ImportRequest", Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{
				"content_type": text("", "Of the file. A type that is not of GPX, GeoJSON, JSON or XML counts as application/octet-stream"),
				"size_bytes":   {Type: huma.TypeInteger, Format: "int64", Description: "Of the file, at most 20 MB; storage refuses any other size"},
				"upload_id":    text("uuid", "Of a file that was sent to its address within the last day"),
			}}},
		}}
	for _, media := range []string{gpxMedia, "application/geo+json", "application/octet-stream"} {
		body.Content[media] = &huma.MediaType{Schema: file}
	}
	return body
}

// importResponses documents the answers of an import.
func importResponses(api *httpapi.API) map[string]*huma.Response {
	const media = "application/json"
	imported := httpapi.JSON[Imported](api, "The journey had everything of the file before")
	either := &huma.Schema{OneOf: []*huma.Schema{imported.Content[media].Schema, httpapi.JSON[ImportUpload](api, "").Content[media].Schema}}
	return map[string]*huma.Response{"200": imported,
		"201": {Description: "What of the file is in the journey, or the address to send a large file to", Content: map[string]*huma.MediaType{media: {Schema: either}}}}
}

// errNoFile is the 422 for a form without a file.
var errNoFile = problem.InvalidField("file", "expected a file in the form")

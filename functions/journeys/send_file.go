package journeys

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/klauspost/compress/gzip"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/storage"
)

// maxAnswer is the largest file that an answer carries, in bytes as sent: a Lambda answer has at most 6 MB, in base64.
const maxAnswer = 4_500_000

// fileLink is how long the address of a file in S3 works.
const fileLink = 15 * time.Minute

// outgoing is a file that is sent to a client.
type outgoing struct {
	journey     uuid.UUID
	contentType string
	disposition string // see attachment
	// encodings is the client's Accept-Encoding.
	encodings string
	// write writes the whole file. The answer begins after it has returned.
	write func(io.Writer) error
}

// fileOutput is an answer with a file: 200 with the file, or 302 to the address of a larger one.
type fileOutput struct {
	Status      int
	Location    string `header:"Location"`
	ContentType string `header:"Content-Type"`
	Encoding    string `header:"Content-Encoding"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// sendFile writes a file, packed if the client takes gzip. It keeps the file on disk and not in memory. A file of more than
// maxAnswer bytes goes to S3, and the answer is its address. If S3 does not take it, the answer is 503: the client never
// gets a part of a file.
func (g *Group) sendFile(ctx context.Context, o outgoing) (*fileOutput, error) {
	file, err := os.CreateTemp("", "route-*")
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	defer func() { _ = file.Close() }()            // a temporary file: nothing in it is needed any more
	if err := os.Remove(file.Name()); err != nil { // it stays readable until it is closed, also when the process ends
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	encoding := ""
	if httpapi.TakesGzip([]string{o.encodings}) {
		encoding = "gzip"
	}
	hash, err := o.writeTo(file, encoding)
	if err != nil {
		return nil, err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fmt.Errorf("size of file: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind file: %w", err)
	}
	if size > maxAnswer {
		return g.sendByS3(ctx, o, encoding, hash, file)
	}
	body, err := io.ReadAll(io.LimitReader(file, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return &fileOutput{Status: http.StatusOK, ContentType: o.contentType, Encoding: encoding, Disposition: o.disposition, Body: body}, nil
}

// writeTo writes the file and returns the SHA-256 of what was written, in hex.
func (o outgoing) writeTo(file io.Writer, encoding string) (string, error) {
	hash := sha256.New()
	target := io.MultiWriter(file, hash)
	packer, err := gzip.NewWriterLevel(target, gzip.BestSpeed)
	if err != nil {
		return "", fmt.Errorf("pack file: %w", err)
	}
	if encoding != "" {
		target = packer
	}
	buffer := bufio.NewWriterSize(target, 64<<10)
	if err := o.write(buffer); err != nil {
		return "", err
	}
	if err := buffer.Flush(); err != nil {
		return "", fmt.Errorf("write file: %w", err)
	}
	if encoding != "" {
		if err := packer.Close(); err != nil {
			return "", fmt.Errorf("pack file: %w", err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// sendByS3 stores the file and answers with its address. Its key has the day and the hash: a repeat on the same day finds
// the object. A lifecycle rule deletes objects a day later at the earliest, so no address leads to one that is deleted.
func (g *Group) sendByS3(ctx context.Context, o outgoing, encoding, hash string, file *os.File) (*fileOutput, error) {
	key := storage.Routes + o.journey.String() + "/" + g.clock.Now().UTC().Format("20060102") + "-" + hash
	there, err := g.links.Exists(ctx, key)
	if err == nil && !there {
		err = g.store.PutFile(ctx, storage.Object{Key: key, ContentType: o.contentType, Encoding: encoding, Disposition: o.disposition}, file)
	}
	if err != nil {
		return nil, storageAway(err)
	}
	link, err := g.links.Fresh(ctx, key, fileLink)
	if err != nil {
		return nil, err
	}
	return &fileOutput{Status: http.StatusFound, Location: link}, nil
}

// storageAway is the 503 for a failure of S3.
func storageAway(err error) *problem.Error {
	return problem.New(problem.Unavailable, "unavailable").After(5 * time.Second).Because(err)
}

// fileResponses documents the answers of sendFile.
func fileResponses(media, description string) map[string]*huma.Response {
	address := &huma.Header{Schema: &huma.Schema{Type: huma.TypeString, Format: "uri"}}
	return map[string]*huma.Response{
		"200": {Description: description, Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString}}}},
		"302": {Description: "The file is at Location", Headers: map[string]*huma.Header{"Location": address}},
	}
}

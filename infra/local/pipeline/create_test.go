package pipeline_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/database"
)

// photo makes an upload and its picture. See put.
func (s *system) photo(n int) (uuid.UUID, []byte) {
	s.Helper()
	id, picture := database.NewID(), pictureOf(s, n)
	_, err := s.owner.Exec(s.Context(), `INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', $4, now() + interval '7 days')`, id, s.person.ID, "originals/"+id.String(), len(picture))
	s.must(err)
	return id, picture
}

// put stores the picture of an upload directly in S3, as phones do.
func (s *system) put(id uuid.UUID, picture []byte) {
	s.Helper()
	_, err := s.s3.PutObject(s.Context(), &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("originals/" + id.String()), Body: bytes.NewReader(picture)})
	s.must(err)
}

// create creates a report with the upload over HTTP.
func (s *system) create(upload uuid.UUID) {
	s.Helper()
	status, err := s.post(upload)
	if err != nil || status != http.StatusCreated {
		s.Fatalf("POST /reports: %d, %v", status, err)
	}
}

// post sends a report with the upload once and returns the status. Its Idempotency-Key is the upload's id, so a repeated
// request is the same report.
func (s *system) post(upload uuid.UUID) (int, error) {
	res, err := s.api.Do(s.Context(), apiclient.Request{Method: http.MethodPost, Path: "/reports", Header: http.Header{"Idempotency-Key": {upload.String()}},
		Body: map[string]any{"client_id": upload, "issue_type": "pothole", "latitude": -8.5569 + s.spacing*float64(s.posted.Add(1)), "longitude": 125.5603,
			"images": []any{map[string]any{"upload_id": upload}}}})
	return res.Status, err
}

// report creates the n-th report. The picture of an odd one is stored before the report, of an even one after it.
func (s *system) report(n int) {
	s.Helper()
	upload, picture := s.photo(n)
	if n%2 == 1 {
		s.put(upload, picture)
	}
	s.create(upload)
	if n%2 == 0 {
		s.put(upload, picture)
	}
}

// pictureOf draws a picture that depends on seed.
func pictureOf(s *system, seed int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			img.SetRGBA(x, y, color.RGBA{R: uint8(x * (seed + 1)), G: uint8(y * (seed + 2)), B: uint8(x * y), A: 255})
		}
	}
	var b bytes.Buffer
	s.must(jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

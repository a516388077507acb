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
	picture := pictureOf(s, n, small)
	return s.upload(s.person.ID, picture), picture
}

// upload makes an upload of a person's picture.
func (s *system) upload(person uuid.UUID, picture []byte) uuid.UUID {
	s.Helper()
	id, err := s.tryUpload(person, picture)
	s.must(err)
	return id
}

// tryUpload is upload for goroutines, which must not end a test; tryPut is put.
func (s *system) tryUpload(person uuid.UUID, picture []byte) (uuid.UUID, error) {
	id := database.NewID()
	_, err := s.owner.Exec(s.Context(), `INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', $4, now() + interval '7 days')`, id, person, "originals/"+id.String(), len(picture))
	return id, err
}

// put stores the picture of an upload directly in S3, as phones do.
func (s *system) put(id uuid.UUID, picture []byte) {
	s.Helper()
	s.must(s.tryPut(id, picture))
}

func (s *system) tryPut(id uuid.UUID, picture []byte) error {
	_, err := s.s3.PutObject(s.Context(), &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("originals/" + id.String()), Body: bytes.NewReader(picture)})
	return err
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
	return s.postAs(s.api, upload, point{-8.5569 + s.spacing*float64(s.posted.Add(1)), 125.5603})
}

// point is a latitude and a longitude, in degrees.
type point [2]float64

// postAs is post by the person of api.
func (s *system) postAs(api apiclient.Client, upload uuid.UUID, at point) (int, error) {
	body := map[string]any{"client_id": upload, "issue_type": "pothole", "latitude": at[0], "longitude": at[1],
		"images": []any{map[string]any{"upload_id": upload}}}
	if s.town != "" {
		body["municipality"] = s.town
	}
	res, err := api.Do(s.Context(), apiclient.Request{Method: http.MethodPost, Path: "/reports", Header: http.Header{"Idempotency-Key": {upload.String()}}, Body: body})
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

// small and phone are sizes of pictures, as multiples of 320 × 240 pixels. That of a phone has 12 megapixels.
const (
	small = 1
	phone = 12.5
)

// pictureOf draws a picture that depends on seed.
func pictureOf(s *system, seed int, size float64) []byte {
	img := image.NewRGBA(image.Rect(0, 0, int(320*size), int(240*size)))
	for v := range img.Rect.Dy() {
		for u := range img.Rect.Dx() {
			x, y := int(float64(u)/size), int(float64(v)/size)
			img.SetRGBA(u, v, color.RGBA{R: uint8(x * (seed + 1)), G: uint8(y * (seed + 2)), B: uint8(x * y), A: 255})
		}
	}
	var b bytes.Buffer
	s.must(jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// photo announces a picture and returns its upload; the bytes come with put.
func (s *system) photo(n int) (uuid.UUID, []byte) {
	s.Helper()
	id, picture := database.NewID(), shot(s, n)
	_, err := s.owner.Exec(s.Context(), `INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', $4, now() + interval '7 days')`, id, s.person.ID, "originals/"+id.String(), len(picture))
	s.must(err)
	return id, picture
}

// put sends the bytes of an upload straight to S3, as phones do.
func (s *system) put(id uuid.UUID, picture []byte) {
	s.Helper()
	_, err := s.s3.PutObject(s.Context(), &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("originals/" + id.String()), Body: bytes.NewReader(picture)})
	s.must(err)
}

// file files a report with the upload over HTTP.
func (s *system) file(upload uuid.UUID) {
	s.Helper()
	status, err := s.post(upload)
	if err != nil || status != http.StatusCreated {
		s.Fatalf("POST /reports: %d, %v", status, err)
	}
}

// post is one attempt at filing: the same upload is the same report, however often it is tried.
func (s *system) post(upload uuid.UUID) (int, error) {
	body, err := json.Marshal(map[string]any{"client_id": upload, "issue_type": "pothole", "latitude": -8.5569 + s.apart*float64(s.posted.Add(1)), "longitude": 125.5603,
		"images": []any{map[string]any{"upload_id": upload}}})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.api+"/reports", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.person.Token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", upload.String())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	var made struct {
		ID uuid.UUID `json:"id"`
	}
	if res.StatusCode == http.StatusCreated {
		if err := json.NewDecoder(res.Body).Decode(&made); err != nil {
			return 0, fmt.Errorf("read answer: %w", err)
		}
	}
	return res.StatusCode, nil
}

// report files the n-th report. Odd ones have their picture's bytes before the report, even ones after.
func (s *system) report(n int) {
	s.Helper()
	upload, picture := s.photo(n)
	if n%2 == 1 {
		s.put(upload, picture)
	}
	s.file(upload)
	if n%2 == 0 {
		s.put(upload, picture)
	}
}

// shot is a picture; each seed is another.
func shot(s *system, seed int) []byte {
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

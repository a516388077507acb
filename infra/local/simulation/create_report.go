package simulation

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// reportBody is a report at one of 300 places in Timor-Leste, within 50 m. The geocoder is asked once a second at most: with other places each time
// it would never be done.
func reportBody(random *rand.Rand) map[string]any {
	latitude := -8.75 + 0.01*float64(random.IntN(25)) + 0.0003 + 0.0004*random.Float64()
	longitude := 125.3 + 0.1*float64(random.IntN(12)) + 0.0003 + 0.0004*random.Float64()
	types := []string{"pothole", "Road Damage", "flood", "street_light", "bridge", "lubuk"}
	return map[string]any{"client_id": uuid.NewString(), "issue_type": types[random.IntN(len(types))], "title": "Hole before the bridge",
		"description": "It grows with every rain.", "latitude": latitude, "longitude": longitude,
		"severity": "high", "captured_at": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), "created_offline": random.IntN(3) == 0}
}

func photo(random *rand.Rand) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 160, 120))
	shade := uint8(random.UintN(256))
	for y := range 120 {
		for x := range 160 {
			img.SetRGBA(x, y, color.RGBA{R: shade, G: uint8(x + int(shade)), B: uint8(y) ^ uint8(random.UintN(16)), A: 255})
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 70})
	return b.Bytes(), err
}

// createReport sends a picture, then a report, as the app does.
func (s *Simulation) createReport(ctx context.Context, who *user, random *rand.Rand) {
	body := reportBody(random)
	picture := random.IntN(4) > 0
	if picture {
		id, ok := s.upload(ctx, who, random)
		if !ok {
			return
		}
		body["images"] = []any{map[string]any{"upload_id": id}}
	}
	r := post("report", "/reports", body).withKey(uuid.NewString())
	r.aborted = random.IntN(5) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return
	}
	if a.Status != http.StatusCreated && a.Status != http.StatusOK {
		s.accepted.refused("report: %d %.300s", a.Status, a.Body)
		return
	}
	e := &acceptedReport{clientID: body["client_id"].(string), id: a.Object().Text("id"), number: a.Object().Text("report_number"), owner: who.id, picture: picture}
	s.accepted.addReport(e)
	s.accepted.keepOf("report "+e.number, a)
	if random.IntN(8) > 0 {
		return
	}
	// The app lost the response and the key, and sends the report again.
	r.kind, r.aborted = "report again", false
	if again, err := who.persist(ctx, r.withKey(uuid.NewString())); err == nil && (again.Status != http.StatusOK || again.Object().Text("id") != e.id || again.Object().Text("report_number") != e.number) {
		s.accepted.refused("report %s sent again: %d %.300s", e.number, again.Status, again.Body)
	}
}

// upload sends a picture through the API, or directly to storage. It returns the upload's id, and false when it failed.
func (s *Simulation) upload(ctx context.Context, who *user, random *rand.Rand) (string, bool) {
	file, err := photo(random)
	if err != nil {
		s.accepted.refused("photo: %v", err)
		return "", false
	}
	direct := random.IntN(3) == 0
	r := post("upload", "/reports/pre-upload-image", map[string]any{"content_type": "image/jpeg", "size_bytes": len(file)})
	if !direct {
		r.Body = apiclient.Form{FileField: "file", FileName: "photo.jpg", File: file}
	}
	r = r.withKey(uuid.NewString())
	r.aborted = random.IntN(8) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return "", false
	}
	if a.Status != http.StatusCreated {
		s.accepted.refused("upload: %d %.300s", a.Status, a.Body)
		return "", false
	}
	if direct {
		if err := s.put(ctx, a, file); err != nil {
			s.accepted.refused("put: %v", err)
			return "", false
		}
	}
	return a.Object().Text("upload_id"), true
}

// put sends a picture to the presigned address of an upload, until storage accepts it.
func (s *Simulation) put(ctx context.Context, a apiclient.Response, file []byte) error {
	address := a.Object().Text("upload.url")
	headers, _ := a.Object().At("upload.headers").(map[string]any)
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(file))
		if err != nil {
			return err
		}
		for name, value := range headers {
			if text, ok := value.(string); ok {
				req.Header.Set(name, text)
			}
		}
		began := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			s.outcomes.failed("storage", false, attemptTimeout, err)
		} else {
			_ = res.Body.Close()
			s.outcomes.answered("storage", apiclient.Response{Status: res.StatusCode}, true, time.Since(began)) // S3 sends no Retry-After
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause(ctx, time.Second)
	}
}

// createBatch sends reports that were written offline, sometimes twice.
func (s *Simulation) createBatch(ctx context.Context, who *user, random *rand.Rand) {
	bodies := make([]any, 2+random.IntN(5))
	for i := range bodies {
		bodies[i] = reportBody(random)
	}
	r := post("batch", "/reports/batch", map[string]any{"reports": bodies}).withKey(uuid.NewString())
	r.aborted = random.IntN(4) == 0
	entries := make([]*acceptedReport, len(bodies))
	for range 1 + random.IntN(2) {
		a, err := who.persist(ctx, r)
		if err != nil {
			return
		}
		results, _ := a.Object().Values["results"].([]any)
		if a.Status != http.StatusOK || len(results) != len(bodies) {
			s.accepted.refused("batch: %d %.300s", a.Status, a.Body)
			return
		}
		for i, v := range results {
			result, _ := v.(map[string]any)
			created, _ := result["report"].(map[string]any)
			id, _ := created["id"].(string)
			number, _ := created["report_number"].(string)
			clientID, _ := bodies[i].(map[string]any)["client_id"].(string)
			switch {
			case id == "" || result["client_id"] != clientID:
				s.accepted.refused("batch item: %v", result)
			case entries[i] == nil:
				entries[i] = &acceptedReport{clientID: clientID, id: id, number: number, owner: who.id}
				s.accepted.addReport(entries[i])
				s.accepted.keep("batch item "+number, result)
			case entries[i].id != id || entries[i].number != number:
				s.accepted.refused("batch item %s came back as %s", entries[i].number, number)
			}
		}
		r = r.withKey(uuid.NewString())
		r.kind = "batch again"
	}
}

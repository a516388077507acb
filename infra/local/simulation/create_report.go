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
)

// draft is a report somewhere in Timor-Leste.
func draft(random *rand.Rand) map[string]any {
	types := []string{"pothole", "Road Damage", "flood", "street_light", "bridge", "lubuk"}
	return map[string]any{"client_id": uuid.NewString(), "issue_type": types[random.IntN(len(types))], "title": "Hole before the bridge",
		"description": "It grows with every rain.", "latitude": -8.75 + random.Float64()*0.25, "longitude": 125.3 + random.Float64()*1.2,
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

// file sends a report as a phone does: the picture ahead, then the report, each again until it is known to be there.
func (d *Crowd) file(ctx context.Context, who *client, random *rand.Rand) {
	body := draft(random)
	picture := random.IntN(4) > 0
	if picture {
		id, ok := d.upload(ctx, who, random)
		if !ok {
			return
		}
		body["images"] = []any{map[string]any{"upload_id": id}}
	}
	r := asJSON("report", http.MethodPost, "/reports", body)
	r.key, r.impatient = uuid.NewString(), random.IntN(5) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return
	}
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		d.book.refused("report: %d %.300s", a.status, a.raw)
		return
	}
	e := &entry{clientID: body["client_id"].(string), id: a.text("id"), number: a.text("report_number"), owner: who.id, picture: picture}
	d.book.enter(e)
	if random.IntN(8) > 0 {
		return
	}
	// The app forgot that it was told, and its key with it.
	r.key, r.kind = uuid.NewString(), "report again"
	if again, err := who.persist(ctx, r); err == nil && (again.status != http.StatusOK || again.text("id") != e.id || again.text("report_number") != e.number) {
		d.book.refused("report %s sent again: %d %.300s", e.number, again.status, again.raw)
	}
}

// upload sends a picture through the API, or straight to storage.
func (d *Crowd) upload(ctx context.Context, who *client, random *rand.Rand) (string, bool) {
	file, err := photo(random)
	if err != nil {
		d.book.refused("photo: %v", err)
		return "", false
	}
	direct := random.IntN(3) == 0
	r := asJSON("upload", http.MethodPost, "/reports/pre-upload-image", map[string]any{"content_type": "image/jpeg", "size_bytes": len(file)})
	if !direct {
		if r, err = asForm("upload", "/reports/pre-upload-image", file); err != nil {
			d.book.refused("photo: %v", err)
			return "", false
		}
	}
	r.key, r.impatient = uuid.NewString(), random.IntN(8) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return "", false
	}
	if a.status != http.StatusCreated {
		d.book.refused("upload: %d %.300s", a.status, a.raw)
		return "", false
	}
	if direct {
		if err := d.put(ctx, a, file); err != nil {
			d.book.refused("put: %v", err)
			return "", false
		}
	}
	return a.text("upload_id"), true
}

// put follows the presigned address.
func (d *Crowd) put(ctx context.Context, a answer, file []byte) error {
	to, _ := a.body["upload"].(map[string]any)
	address, _ := to["url"].(string)
	headers, _ := to["headers"].(map[string]any)
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
			d.tally.lost("storage", false, attemptTimeout, err)
		} else {
			_ = res.Body.Close()
			d.tally.answered("storage", answer{status: res.StatusCode}, true, time.Since(began)) // S3 never says when to come back
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

// fileBatch sends what was written offline, and at times once more.
func (d *Crowd) fileBatch(ctx context.Context, who *client, random *rand.Rand) {
	drafts := make([]any, 2+random.IntN(5))
	for i := range drafts {
		drafts[i] = draft(random)
	}
	r := asJSON("batch", http.MethodPost, "/reports/batch", map[string]any{"reports": drafts})
	r.key, r.impatient = uuid.NewString(), random.IntN(4) == 0
	entries := make([]*entry, len(drafts))
	for range 1 + random.IntN(2) {
		a, err := who.persist(ctx, r)
		if err != nil {
			return
		}
		results, _ := a.body["results"].([]any)
		if a.status != http.StatusOK || len(results) != len(drafts) {
			d.book.refused("batch: %d %.300s", a.status, a.raw)
			return
		}
		for i, v := range results {
			result, _ := v.(map[string]any)
			filed, _ := result["report"].(map[string]any)
			id, _ := filed["id"].(string)
			number, _ := filed["report_number"].(string)
			clientID, _ := drafts[i].(map[string]any)["client_id"].(string)
			switch {
			case id == "" || result["client_id"] != clientID:
				d.book.refused("batch item: %v", result)
			case entries[i] == nil:
				entries[i] = &entry{clientID: clientID, id: id, number: number, owner: who.id}
				d.book.enter(entries[i])
			case entries[i].id != id || entries[i].number != number:
				d.book.refused("batch item %s came back as %s", entries[i].number, number)
			}
		}
		r.key, r.kind = uuid.NewString(), "batch again"
	}
}

package relay

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/upload"
)

// A picture whose redaction was asked for long ago gets another message, once a period; one that was taken away gets none.
func TestLostRedactionIsAskedForAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	lost, fresh, gone := b.upload("processed", "1 day", "7 days"), b.upload("processed", "1 day", "7 days"), b.upload("processed", "1 day", "7 days")
	b.exec(`UPDATE uploads SET state = 'redacting', processed_at = now() - interval '2116 minutes'`)
	b.exec(`UPDATE uploads SET processed_at = now() WHERE id = $1`, fresh)
	b.exec(`UPDATE uploads SET deletion = 'gone' WHERE id = $1`, gone)
	for range 2 {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		b.exec(`UPDATE outbox SET not_before = now() - interval '1 minute'`)
	}
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if got := b.received(queue.Images); len(got) != 1 || !strings.Contains(got[0], lost.String()) || !strings.Contains(got[0], "redact_upload_id") {
		t.Errorf("asked for %v", got)
	}
}

// Renditions of earlier generations go within one run in which storage works; the present ones stay.
func TestStaleRenditionsAreDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload("processed", "1 day", "7 days")
	b.exec(`UPDATE uploads SET generation = 2, stale_from = 0 WHERE id = $1`, id)
	keys := upload.RenditionKeys(id, 0, 3)
	for _, key := range keys {
		if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.faults.Add(faults.Fault{Service: "s3", Operation: "DeleteObject", Mode: faults.Error, Skip: 1, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	if err := b.run(); err == nil || b.count(`SELECT count(*) FROM uploads WHERE stale_from = 0`) != 1 {
		t.Error("a run that failed has marked them deleted")
	}
	b.faults.Clear()
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, key := range keys {
		if _, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key)}); err == nil {
			left = append(left, key)
		}
	}
	if len(left) != 2 || left[0] != keys[4] || left[1] != keys[5] || b.count(`SELECT count(*) FROM uploads WHERE stale_from IS NOT NULL`) != 0 {
		t.Errorf("left are %v", left)
	}
}

// A redaction that was not recorded leaves renditions of a later generation. They go too, unless a redaction is being made, which
// may be writing them.
func TestRenditionsOfLostAttemptsAreDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, making := b.upload("processed", "1 day", "7 days"), b.upload("processed", "1 day", "7 days")
	b.exec(`UPDATE uploads SET generation = 2, generation_taken = 3, stale_from = 1`)
	b.exec(`UPDATE uploads SET state = 'redacting', processed_at = now() WHERE id = $1`, making)
	for _, key := range append(upload.RenditionKeys(made, 1, 4), upload.RenditionKeys(making, 1, 4)...) {
		if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uuid.UUID][]bool{made: {false, false, true, true, false, false}, making: {false, false, true, true, true, true}} {
		for i, key := range upload.RenditionKeys(id, 1, 4) {
			if _, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(key)}); (err == nil) != want[i] {
				t.Errorf("%s is stored: %v", key, err == nil)
			}
		}
	}
}

package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/upload"
)

// said is what these tests read of an event.
type said struct {
	Event     string                `json:"event"`
	ChangedBy struct{ Kind string } `json:"changed_by"`
	Images    []string              `json:"images"`
	Thumbs    []string              `json:"thumbs"`
}

// events are those of the report, in order.
func (b *bundle) events(report uuid.UUID) []said {
	b.t.Helper()
	var out []said
	if err := json.Unmarshal([]byte(one[string](b, `SELECT jsonb_agg(convert_from(payload, 'UTF8')::jsonb ORDER BY seq)::text FROM ledger_events WHERE report_id = $1`, report)), &out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// stored is the hex of the SHA-256 of a rendition in storage.
func (b *bundle) stored(id uuid.UUID, rendition upload.Rendition) string {
	b.t.Helper()
	object, err := b.s3.GetObject(b.t.Context(), &s3.GetObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(original{id: id}.rendition(rendition))})
	if err != nil {
		b.t.Fatal(err)
	}
	body, err := io.ReadAll(object.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// wantVouched checks that the newest event of the report, after its first, is of the system and names the picture as storage has it.
func (b *bundle) wantVouched(report, picture uuid.UUID) {
	b.t.Helper()
	events := b.events(report)
	if len(events) != 2 {
		b.t.Fatalf("events %+v, want two", events)
	}
	if first := events[0]; first.Event != "REPORT_SUBMITTED" || first.Images != nil || first.Thumbs != nil {
		b.t.Errorf("the first event names pictures that were not processed: %+v", first)
	}
	e := events[1]
	if e.Event != "CONTENT_AMENDED" || e.ChangedBy.Kind != "system" {
		b.t.Errorf("event %+v", e)
	}
	display, thumbnail := b.stored(picture, "display"), b.stored(picture, "thumbnail")
	if !slices.Equal(e.Images, []string{display}) || !slices.Equal(e.Thumbs, []string{thumbnail}) {
		b.t.Errorf("images %v, thumbs %v; stored are %s and %s", e.Images, e.Thumbs, display, thumbnail)
	}
}

func TestAProcessedPictureOfAReportIsVouchedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(testPicture(t), 0)
	report := b.attach(id)
	b.deliver(event(key(id), 1), event(key(id), 1))
	b.wantVouched(report, id)
}

// attaching calls then after the first read of the report of a picture.
type attaching struct {
	database.Querier
	then func()
}

func (a *attaching) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := a.Querier.Query(ctx, sql, args...)
	return attachingRows{rows, a.then}, err
}

type attachingRows struct {
	pgx.Rows
	then func()
}

func (r attachingRows) Close() {
	r.Rows.Close()
	r.then()
}

// A report gets the picture between two steps of the worker: after it looked for the report, before it records the picture. Another
// change has locked the report. The worker waits for the lock of the report without a lock on the upload.
func TestAPictureThatIsAttachedWhileItIsRecordedIsVouchedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(testPicture(t), 0)
	var report uuid.UUID
	var once sync.Once
	other := make(chan error, 1)
	b.w.db = &attaching{b.w.db, func() {
		once.Do(func() {
			report = b.attach(id)
			tx, err := b.db.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := tx.Exec(t.Context(), `SELECT FROM reports WHERE id = $1 FOR NO KEY UPDATE`, report); err != nil {
				t.Error(err)
			}
			go func() {
				testdb.AwaitLocked(t, b.db, 1)
				_, err := tx.Exec(t.Context(), `SELECT FROM uploads WHERE id = $1 FOR UPDATE NOWAIT`, id)
				other <- errors.Join(err, tx.Commit(t.Context()))
			}()
		})
	}}
	if failed := b.deliver(event(key(id), 1)); failed != nil {
		t.Errorf("failed %v", failed)
	}
	if err := <-other; err != nil {
		t.Fatalf("the other change: %v", err)
	}
	b.wantVouched(report, id)
	if n := one[int](b, `SELECT count(*) FROM outbox WHERE queue = 'validate' AND body->>'report_id' = $1`, report.String()); n != 1 {
		t.Errorf("%d requests for validation, want 1", n)
	}
}

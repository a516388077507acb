package reports_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
)

// BenchmarkCreate creates reports over HTTP and, taking turns with that in the same run, writes the same rows by hand:
// one batch of inserts in one transaction. x-bare is how many times as long creating a report takes.
func BenchmarkCreate(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			w := testenv.New(b)
			w.Env["DATABASE_MAX_CONNS"] = "16"
			for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "CREATE_PER_HOUR"} {
				w.Env["RATE_LIMIT_"+limit] = "10000000"
			}
			w.Serve(reports.Open)
			people := make([]*testenv.Client, clients)
			for i := range people {
				people[i] = w.Citizen()
			}
			const share = 40 // reports of one turn
			var http, bare time.Duration
			n := 0
			for b.Loop() {
				http += each(b, w, people, share, createOverHTTP)
				bare += each(b, w, people, share, insertByHand)
				n += share * clients
			}
			b.ReportMetric(float64(http.Microseconds())/float64(n), "µs/report")
			b.ReportMetric(float64(bare.Microseconds())/float64(n), "µs/bare")
			b.ReportMetric(float64(http)/float64(bare), "x-bare")
		})
	}
}

// each makes every person create n reports at the same time, and returns how long all of them together took.
func each(b *testing.B, w *testenv.System, people []*testenv.Client, n int,
	create func(*testing.B, *testenv.System, *testenv.Client, uuid.UUID)) time.Duration {
	uploads := make([][]uuid.UUID, len(people))
	for i, c := range people {
		for range n {
			id := database.NewID()
			uploads[i] = append(uploads[i], id)
			w.Exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, original_sha256, expires_at)
				VALUES ($1, $2, $3, 'image/jpeg', 1000, 'stored', sha256($3::text::bytea), now() + interval '7 days')`, id, c.ID, id.String())
		}
	}
	began := time.Now()
	var all sync.WaitGroup
	for i, c := range people {
		all.Go(func() {
			for _, id := range uploads[i] {
				create(b, w, c, id)
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

var sharedClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

func createOverHTTP(b *testing.B, w *testenv.System, c *testenv.Client, picture uuid.UUID) {
	body, err := json.Marshal(newBody(object{"client_id": uuid.NewString(), "images": []object{{"upload_id": picture}}}))
	if err != nil {
		b.Error(err)
		return
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, w.URL+"/api/v1/reports", bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.Token)
	req.Header.Set("Idempotency-Key", uuid.NewString())
	res, err := sharedClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusCreated {
		b.Errorf("got %d %v: %s", res.StatusCode, err, answer)
	}
}

var numbers atomic.Int64

// insertByHand writes the rows of a new report, and nothing else.
func insertByHand(b *testing.B, w *testenv.System, c *testenv.Client, picture uuid.UUID) {
	id, event, notice, client := database.NewID(), database.NewID(), database.NewID(), uuid.New()
	number := fmt.Sprintf("LS-2020-%06d", numbers.Add(1))
	payload := bytes.Repeat([]byte("x"), 500)
	sum := sha256.Sum256(payload)
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE users SET reports_count = reports_count + 1 WHERE id = $1`, c.ID)
	batch.Queue(`UPDATE uploads SET attached_at = now() WHERE id = $1`, picture)
	batch.Queue(`INSERT INTO reports (id, report_number, user_id, client_id, content_hash, issue_type, title, description, latitude, longitude)
		VALUES ($1, $2, $3, $4, $5, 'pothole', 'Hole', 'Deep.', -8.5569, 125.5603)`, id, number, c.ID, client, sum[:])
	batch.Queue(`INSERT INTO report_images (id, report_id, upload_id, kind, added_by) VALUES ($1, $2, $3, 'evidence', $4)`, database.NewID(), id, picture, c.ID)
	batch.Queue(`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, actor_id) VALUES ($1, $2, 'pending', 'citizen', $3)`, database.NewID(), id, c.ID)
	batch.Queue(`INSERT INTO report_salts (report_id, salt, created_at) VALUES ($1, $2, now())`, id, sum[:])
	batch.Queue(`WITH place AS (UPDATE log_counter SET next = next + 1 RETURNING next - 1 AS log_index)
		INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, created_at, log_index)
		SELECT $1, $2, 1, 'REPORT_SUBMITTED', $3, $4, now(), log_index FROM place`, event, id, payload, sum[:])
	batch.Queue(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params) VALUES ($1, $2, 'report_received', $3, $4, '{"a": "b"}')`,
		notice, c.ID, "received:"+id.String(), id)
	for _, queue := range []string{"anchor", "notify", "geocode"} {
		batch.Queue(`INSERT INTO outbox (id, queue, body) VALUES ($1, $2, $3)`, database.NewID(), queue, `{"id": "`+id.String()+`"}`)
	}
	batch.Queue(`INSERT INTO idempotency_keys (owner, key, request_hash, status, response, content_type, locked_until)
		VALUES ($1, $2, $3, 201, $4, 'application/json', now())`, c.ID.String(), client.String(), sum[:], bytes.Repeat(payload, 3))
	err := pgx.BeginFunc(b.Context(), w.DB, func(tx pgx.Tx) error { return tx.SendBatch(b.Context(), batch).Close() })
	if err != nil {
		b.Error(err)
	}
}

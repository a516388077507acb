package generate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// The account and the topic of generated messages.
const (
	Account      = "0.0.2001"
	TopicReports = "0.0.3001"
)

func (w *dataset) ledgered(i int) bool { return i >= w.ledgerFrom() }

// event is one ledger event of a report.
type event struct {
	id         uuid.UUID
	seq        int
	kind       string
	payload    []byte
	hash, prev []byte
	at         time.Time
}

// ledger writes the events of the newest reports as functions/anchor leaves them.
func (f *filler) ledger(ctx context.Context) error {
	first := f.ledgerFrom()
	var next int64 // place in the log
	if err := f.conn.QueryRow(ctx, "SELECT next FROM log_counter").Scan(&next); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	// The chain trigger plans its query once, on an empty table, where a sequential scan looks cheapest.
	if err := f.run(ctx, "SET enable_seqscan = off"); err != nil {
		return err
	}
	err := f.copy(ctx, "report_salts", []string{"report_id", "salt", "created_at"}, first, f.Reports, func(i int, row write) {
		s := f.subject(i)
		row(s.id, s.salt(), s.at)
	})
	if err != nil {
		return err
	}
	columns := []string{"id", "report_id", "seq", "event_type", "payload", "payload_hash", "prev_hash", "created_at", "log_index"}
	err = f.copy(ctx, "ledger_events", columns, first, f.Reports, func(i int, row write) {
		s := f.subject(i)
		for _, e := range s.events() {
			row(e.id, s.id, e.seq, e.kind, e.payload, e.hash, e.prev, e.at, next)
			next++
		}
	})
	if err != nil {
		return err
	}
	if err := f.run(ctx, "RESET enable_seqscan"); err != nil {
		return err
	}
	if _, err := f.conn.Exec(ctx, "UPDATE log_counter SET next = $1", next); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return f.messages(ctx, next)
}

// covered is how many events a message of the generated ledger covers.
const covered = 20

// messages writes the confirmed messages that cover the events up to next, as functions/anchor leaves them.
func (f *filler) messages(ctx context.Context, next int64) error {
	const insert = `
INSERT INTO log_messages (id, topic_id, size, first_index, message, state, transaction_id, signed, expires_at, sequence_number, running_hash,
                          consensus_nanos, shown, next_attempt_at, created_at, updated_at)
SELECT gen_random_uuid(), $2, n, n - $3, convert_to('{"checkpoint":"","entries":[]}', 'UTF8'), 'confirmed', $4 || '@' || 1700000000 + n || '.000000000', sha256('x'),
       now(), n / $3, sha256('x'), (1700000000 + n) * 1000000000, n, now(), now(), now()
FROM generate_series($3::bigint, $1::bigint, $3::bigint) n`
	if _, err := f.conn.Exec(ctx, insert, next, TopicReports, covered, Account); err != nil {
		return fmt.Errorf("ledger messages: %w", err)
	}
	return nil
}

func (s *subject) salt() []byte {
	sum := sha256.Sum256(append([]byte("salt"), s.id[:]...))
	return sum[:]
}

// events is the report's chain, as shared/ledger writes it: one event for each status change, and one for a withdrawal.
func (s *subject) events() []*event {
	mac := hmac.New(sha256.New, s.salt())
	_, _ = fmt.Fprintf(mac, `{"captured_at":null,"description":"%s","issue_type_raw":"","latitude":%s,"longitude":%s,"title":"%s"}`,
		s.text, decimal(s.lat), decimal(s.lon), s.title)
	content := hex.EncodeToString(mac.Sum(nil))
	moves := s.moves
	if s.withdrawn != nil {
		moves = append(moves[:len(moves):len(moves)], move{new: s.status(), kind: "citizen", at: *s.withdrawn})
	}
	var out []*event
	var prev []byte
	for n, m := range moves {
		e := &event{seq: n + 1, at: m.at, prev: prev, kind: "STATUS_CHANGED"}
		switch {
		case n == 0:
			e.kind = "REPORT_SUBMITTED"
		case m.old == "":
			e.kind = "REPORT_WITHDRAWN"
		}
		e.id = derived(s.id, m.at, n)
		e.payload = s.payload(e, m, content)
		sum := sha256.Sum256(e.payload)
		e.hash, prev = sum[:], sum[:]
		out = append(out, e)
	}
	return out
}

// payload is canonical JSON (RFC 8785): sorted members, no spaces. No generated text needs escaping.
func (s *subject) payload(e *event, m move, content string) []byte {
	images, old, prev := "", "", "null"
	if s.picture != nil {
		images = `"images":["` + hex.EncodeToString(s.picture.sha) + `"],`
	}
	if m.old != "" {
		old = `"old_status":"` + m.old + `",`
	}
	if e.prev != nil {
		prev = `"` + hex.EncodeToString(e.prev) + `"`
	}
	return fmt.Appendf(nil, `{"changed_by":{"kind":"%s"},"content_hash":"%s","event":"%s",%s"issue_type":"%s","location":{"lat":%s,"lon":%s},`+
		`%s"prev":%s,"report_number":"%s","seq":%d,"severity":"%s","status":"%s","ts":"%s","v":1}`,
		m.kind, content, e.kind, images, s.issueType, decimal(math.Round(s.lat*1e4)/1e4), decimal(math.Round(s.lon*1e4)/1e4),
		old, prev, s.number, e.seq, s.severity, m.new, e.at.UTC().Format("2006-01-02T15:04:05.000Z"))
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// derived is the n-th id derived from the id of a report, with its own time.
func derived(id uuid.UUID, at time.Time, n int) uuid.UUID {
	sum := sha256.Sum256(append(id[:], byte(n)))
	out := uuid.UUID(sum[:16])
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		out[i] = byte(ms >> (40 - 8*i))
	}
	out[6], out[8] = 0x70|out[6]&0x0f, 0x80|out[8]&0x3f
	return out
}

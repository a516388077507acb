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

// The account and the topics of generated events.
const (
	Account      = "0.0.2001"
	TopicReports = "0.0.3001"
	TopicStatus  = "0.0.3002"
)

func (w *dataset) ledgered(i int) bool { return i >= w.ledgerFrom() }

// event is one ledger event of a report, confirmed in a message of its own.
type event struct {
	id, submission   uuid.UUID
	seq              int
	kind, topic      string
	payload          []byte
	hash, prev       []byte
	at               time.Time
	position         int64
	topicID, payment string
}

// ledger writes the events of the newest reports as functions/anchor leaves them.
func (f *filler) ledger(ctx context.Context) error {
	const span = 8 // positions for each report: more than its events
	first := f.ledgerFrom()
	var next int64 // place in the log
	if err := f.conn.QueryRow(ctx, "SELECT next FROM log_counter").Scan(&next); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	tables := []struct {
		name    string
		columns []string
		row     func(s *subject, e *event, row write)
	}{
		{"ledger_events", []string{"position", "id", "report_id", "seq", "event_type", "topic", "payload", "payload_hash", "prev_hash", "created_at", "log_index"},
			func(s *subject, e *event, row write) {
				row(e.position, e.id, s.id, e.seq, e.kind, e.topic, e.payload, e.hash, e.prev, e.at, next)
				next++
			}},
		{"ledger_submissions", []string{"id", "topic", "topic_id", "batch_size", "message", "state", "transaction_id", "sequence_number", "running_hash",
			"consensus_nanos", "next_attempt_at", "created_at", "updated_at", "confirmed_at"},
			func(_ *subject, e *event, row write) {
				row(e.submission, e.topic, e.topicID, 0, e.payload, "confirmed", e.payment, e.position, e.hash, e.at.UnixNano(), e.at, e.at, e.at, e.at)
			}},
		{"ledger_transactions", []string{"id", "submission_id", "signed", "expires_at", "created_at"},
			func(_ *subject, e *event, row write) { row(e.payment, e.submission, e.hash, e.at, e.at) }},
		{"ledger_anchors", []string{"event_id", "position", "report_id", "seq", "topic", "submission_id", "created_at"},
			func(s *subject, e *event, row write) { row(e.id, e.position, s.id, e.seq, e.topic, e.submission, e.at) }},
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
	for _, table := range tables {
		err := f.copy(ctx, table.name, table.columns, first, f.Reports, func(i int, row write) {
			s := f.subject(i)
			for _, e := range s.events(int64(i) * span) {
				table.row(s, e, row)
			}
		})
		if err != nil {
			return err
		}
	}
	if err := f.run(ctx, "RESET enable_seqscan"); err != nil {
		return err
	}
	const positions = `SELECT setval(pg_get_serial_sequence('ledger_events', 'position'), greatest(1, max(position))) FROM ledger_events`
	if _, err := f.conn.Exec(ctx, positions); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if _, err := f.conn.Exec(ctx, "UPDATE log_counter SET next = $1", next); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

func (s *subject) salt() []byte {
	sum := sha256.Sum256(append([]byte("salt"), s.id[:]...))
	return sum[:]
}

// events is the report's chain, as shared/ledger writes it: one event for each status change, and one for a withdrawal.
func (s *subject) events(position int64) []*event {
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
		e := &event{seq: n + 1, at: m.at, prev: prev, position: position + int64(n) + 1, kind: "STATUS_CHANGED", topic: "status", topicID: TopicStatus}
		switch {
		case n == 0:
			e.kind, e.topic, e.topicID = "REPORT_SUBMITTED", "reports", TopicReports
		case m.old == "":
			e.kind, e.topic, e.topicID = "REPORT_WITHDRAWN", "reports", TopicReports
		}
		e.id, e.submission = derived(s.id, m.at, 2*n), derived(s.id, m.at, 2*n+1)
		e.payment = fmt.Sprintf("%s@%d.%09d", Account, m.at.Unix(), e.position)
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

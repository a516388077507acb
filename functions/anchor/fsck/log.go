package fsck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/translog"
)

// step is the number of entries that are compared at once: eight bundles.
const step = 8 * 256

// maxCheckpoint is the longest checkpoint that is read, in bytes.
const maxCheckpoint = 64 << 10

// head is what the database says about the log.
type head struct {
	Origin     string
	Size       int64
	Checkpoint string
	Next       int64    // the next place
	VKeys      []string // of all log keys
}

func (c *Check) head(ctx context.Context) (head, error) {
	const query = `
SELECT coalesce(origin, ''), size, coalesce(checkpoint, ''), (SELECT next FROM log_counter),
       ARRAY(SELECT vkey FROM log_keys WHERE role = 'log' ORDER BY from_index)
FROM log_head`
	rows, err := c.DB.Query(ctx, query)
	if err != nil {
		return head{}, fmt.Errorf("fsck: read head of the log: %w", err)
	}
	h, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[head])
	if err != nil {
		return head{}, fmt.Errorf("fsck: read head of the log: %w", err)
	}
	return h, nil
}

// keep opens a checkpoint and keeps it for the comparison with the log. It returns its size; -1 if it is none of this log,
// which is a finding.
func (c *Check) keep(ctx context.Context, where, signed string) (int64, error) {
	h, err := c.head(ctx)
	if err != nil {
		return 0, err
	}
	opened, err := translog.OpenCheckpoint([]byte(signed), h.Origin, h.VKeys...)
	if err != nil {
		c.find(where, "checkpoint", "%s", err)
		return -1, nil
	}
	c.checkpoints[opened.N] = append(c.checkpoints[opened.N], checkpoint{opened.Hash, where})
	return opened.N, nil
}

// log compares the table with the published log, entry by entry and byte for byte, and every kept checkpoint with the tree
// over the published entries.
func (c *Check) log(ctx context.Context) error {
	h, err := c.head(ctx)
	if err != nil {
		return err
	}
	w := logWalk{Check: c, size: h.Size}
	if c.Log != nil {
		if err := w.open(ctx, h); err != nil {
			return err
		}
	}
	if h.Checkpoint != "" {
		if _, err := c.keep(ctx, "log_head", h.Checkpoint); err != nil {
			return err
		}
	}
	w.promises() // of a log without entries
	for from := int64(0); from < w.size; from += step {
		if err := w.compare(ctx, from, min(from+step, w.size)); err != nil {
			return err
		}
	}
	if err := w.unpublished(ctx, h.Next); err != nil {
		return err
	}
	if err := w.keyRows(ctx); err != nil {
		return err
	}
	for _, size := range slices.Sorted(maps.Keys(c.checkpoints)) {
		if size > w.size {
			c.find(c.checkpoints[size][0].where, "checkpoint", "it has %d entries, the published log has %d", size, w.size)
		}
	}
	return nil
}

// logWalk is the way through the entries of the log.
type logWalk struct {
	*Check
	size int64 // of the published log
	tree translog.RightEdge
	// entries reads the published log; nil if it cannot be read.
	entries translog.Entries
	// keys are those that the entries name.
	keys keyTable
	// own is the newest event of the log itself.
	own struct {
		seq  int
		hash []byte
	}
}

// open reads the published checkpoint.
func (w *logWalk) open(ctx context.Context, h head) error {
	signed, err := w.Log.Get(ctx, translog.CheckpointKey, maxCheckpoint)
	if errors.Is(err, translog.ErrNotFound) {
		if w.size = 0; h.Size > 0 {
			w.find("log", "checkpoint", "the bucket has no checkpoint, the database has one of %d entries", h.Size)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("fsck: read checkpoint: %w", err)
	}
	opened, err := translog.OpenCheckpoint(signed, h.Origin, h.VKeys...)
	if err != nil {
		w.find("log", "checkpoint", "that of the bucket: %s", err)
		return nil
	}
	if opened.N > h.Size {
		w.find("log", "checkpoint", "that of the bucket has %d entries, the database knows %d: a backup was restored", opened.N, h.Size)
	}
	w.checkpoints[opened.N] = append(w.checkpoints[opened.N], checkpoint{opened.Hash, "log"})
	w.size, w.entries = opened.N, translog.Published(w.Log, opened.Tree)
	return nil
}

// eventRow is an event as the table has it.
type eventRow struct {
	Index    int64
	Type     ledger.Type
	Seq      int
	Payload  []byte
	Prev     []byte
	ReportID *uuid.UUID
	Number   *string // of the report
}

// compare compares the entries from to to-1 with the table.
func (w *logWalk) compare(ctx context.Context, from, to int64) error {
	published, err := w.published(ctx, from, to)
	if err != nil {
		return err
	}
	table, err := w.table(ctx, from, to)
	if err != nil {
		return err
	}
	for n := from; n < to; n++ {
		w.result.Entries++
		var there []byte
		if published != nil {
			there = published[n-from]
		}
		rows := table[n]
		for _, e := range rows {
			w.event(e, there)
		}
		switch {
		case len(rows) > 1:
			w.find(numberIn(rows[0].Payload, n), "log", "the table has place %d %d times", n, len(rows))
		case len(rows) == 0 && there != nil:
			w.find(numberIn(there, n), "log", "%s is at place %d of the log and not in the table", typeIn(there), n)
		case len(rows) == 0:
			w.find(name(nil, n), "log", "the table has no event with this place")
		}
		if there == nil && len(rows) > 0 {
			there = rows[0].Payload
		}
		w.tree.Add(tlog.RecordHash(there))
		w.keys.add(n, there)
		w.promises()
	}
	return nil
}

// published returns the entries of the published log; nil where it cannot be read.
func (w *logWalk) published(ctx context.Context, from, to int64) ([][]byte, error) {
	if w.entries == nil {
		return nil, nil
	}
	out, err := w.entries(ctx, from, to)
	if errors.Is(err, translog.ErrTampered) {
		w.find(fmt.Sprintf("log entries %d to %d", from, to-1), "log", "%s", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fsck: read the log: %w", err)
	}
	return out, nil
}

func (w *logWalk) table(ctx context.Context, from, to int64) (map[int64][]eventRow, error) {
	const query = `
SELECT e.log_index, e.event_type, e.seq, e.payload, e.prev_hash, e.report_id, r.report_number
FROM ledger_events e LEFT JOIN reports r ON r.id = e.report_id
WHERE e.log_index >= $1 AND e.log_index < $2 ORDER BY e.log_index`
	rows, err := w.DB.Query(ctx, query, from, to)
	if err != nil {
		return nil, fmt.Errorf("fsck: read events: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[eventRow])
	if err != nil {
		return nil, fmt.Errorf("fsck: read events: %w", err)
	}
	out := make(map[int64][]eventRow, len(all))
	for _, e := range all {
		out[e.Index] = append(out[e.Index], e)
	}
	return out, nil
}

// event compares an event of the table with the entry at its place; entry is nil where the log cannot be read.
func (w *logWalk) event(e eventRow, entry []byte) {
	where := numberIn(e.Payload, e.Index)
	if entry != nil && !bytes.Equal(entry, e.Payload) {
		w.find(numberIn(entry, e.Index), "log", "at place %d the log has another %s than the table, which has %s of %s",
			e.Index, typeIn(entry), e.Type, where)
	}
	switch {
	case e.ReportID == nil:
		sum := sha256.Sum256(e.Payload)
		if e.Seq != w.own.seq+1 || !bytes.Equal(e.Prev, w.own.hash) {
			w.find(where, "chain", "it does not follow event %d of the log itself", w.own.seq)
		}
		w.own.seq, w.own.hash = e.Seq, sum[:]
	case e.Number == nil:
		w.find(where, "report", "%s at place %d is of a report whose row is gone", e.Type, e.Index)
	}
}

// promises compares the kept checkpoints of the size of the tree with it.
func (w *logWalk) promises() {
	tree := w.tree.Tree()
	for _, p := range w.checkpoints[tree.N] {
		if p.root != tree.Hash {
			w.find(p.where, "checkpoint", "its root of %d entries is not that of the published log", tree.N)
		}
	}
}

// unpublished checks that the events after the published ones have their places without a gap, up to the counter.
func (w *logWalk) unpublished(ctx context.Context, next int64) error {
	const query = `
SELECT count(*), count(DISTINCT log_index), coalesce(max(log_index) + 1, $1) FROM ledger_events WHERE log_index >= $1`
	var rows, places, end int64
	if err := w.DB.QueryRow(ctx, query, w.size).Scan(&rows, &places, &end); err != nil {
		return fmt.Errorf("fsck: count events: %w", err)
	}
	w.result.Entries += int(rows)
	if want := next - w.size; rows != want || places != want || end != max(next, w.size) {
		w.find("log", "counter", "the counter gave out %d places after the published log, the table has %d events at %d places up to %d", want, rows, places, end)
	}
	return nil
}

// numberIn is the number of the report that a payload is about, or its place.
func numberIn(payload []byte, index int64) string {
	var said struct {
		Number *string `json:"report_number"`
	}
	_ = json.Unmarshal(payload, &said) // a payload that is no JSON is named by its place
	return name(said.Number, index)
}

func typeIn(payload []byte) string {
	var said struct {
		Event string `json:"event"`
	}
	if json.Unmarshal(payload, &said) != nil || said.Event == "" {
		return "entry"
	}
	return said.Event
}

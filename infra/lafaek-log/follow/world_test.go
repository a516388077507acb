package follow_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/lafaek-log/follow"
	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/translog"
)

type object = map[string]any

// world is a log with reports, a mirror node with its messages, and a follower.
type world struct {
	*testing.T
	now      time.Time
	entries  [][]byte
	tails    map[string]tail // newest event of each report
	store    *logtest.Memory
	head     *translog.Checkpoint
	key      *logtest.Key
	receipts *ledger.Receipts
	keys     object
	messages []object
	listed   []object // the reports that the site shows; nil for a site that has only the log
	server   *httptest.Server
	state    *follow.State
	options  follow.Options
	table    bytes.Buffer
}

type tail struct {
	seq  int
	hash string
}

// newWorld returns a log that has named its keys and is published.
func newWorld(t *testing.T) *world {
	t.Helper()
	receipts, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: logtest.Origin, Key: base64.StdEncoding.EncodeToString(make([]byte, 32))})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, now: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC), tails: make(map[string]tail), store: logtest.NewMemory(),
		head: &translog.Checkpoint{Tree: translog.Empty()}, key: logtest.NewKey(t, logtest.Origin), receipts: receipts}
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	w.keys = object{"origin": logtest.Origin, "log_vkeys": []object{{"vkey": w.key.VKey(), "from": 0}}, "receipts_vkeys": []object{{"vkey": receipts.VKey(), "from": 0}},
		"log_vkey": w.key.VKey(), "receipts_vkey": receipts.VKey(), "witnesses": []string{}, "merge_delay_seconds": 3600,
		"ledger": object{"network": "testnet", "topic_id": "0.0.7", "account_id": "0.0.2", "public_key": "02ab", "mirror_url": w.server.URL}}
	w.keyChanged("log", nil, w.key.VKey())
	w.keyChanged("receipts", nil, receipts.VKey())
	w.keyChanged("ledger", nil, object{"network": "testnet", "topic_id": "0.0.7", "account_id": "0.0.2", "public_key": "02ab"})
	w.publish()
	w.state = follow.NewState(w.server.URL)
	w.options = follow.Options{URL: w.server.URL, Now: func() time.Time { return w.now }, CSV: &w.table}
	return w
}

// ServeHTTP serves the log and the mirror node.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if key, ok := strings.CutPrefix(r.URL.Path, "/log/"); ok && key != "keys" {
		data, ok := w.store.Files()[key]
		if !ok {
			http.NotFound(out, r)
			return
		}
		_, _ = out.Write(data)
		return
	}
	var answer any = w.keys
	if r.URL.Path == "/api/v1/public/reports" {
		if w.listed == nil {
			http.NotFound(out, r)
			return
		}
		answer = object{"items": w.listed}
	} else if strings.HasPrefix(r.URL.Path, "/api/") {
		var from int
		_, _ = fmt.Sscanf(r.URL.Query().Get("sequencenumber"), "gte:%d", &from)
		messages := w.messages[min(max(from-1, 0), len(w.messages)):]
		answer = object{"messages": messages[:min(len(messages), 100)]}
	}
	_ = json.NewEncoder(out).Encode(answer)
}

// add appends an event of a report, or of the log under the number "".
func (w *world) add(number, kind string, more object) {
	end := w.tails[number]
	e := object{"v": 2, "event": kind, "report_number": number, "seq": end.seq + 1, "prev": nil, "ts": w.now.Format("2006-01-02T15:04:05.000Z"),
		"changed_by": object{"kind": "citizen"}, "issue_type": "pothole", "status": "pending", "location": object{"lat": -8.557, "lon": 125.56}}
	if number == "" {
		e["report_number"] = nil
	}
	if end.hash != "" {
		e["prev"] = end.hash
	}
	maps.Copy(e, more)
	raw, err := json.Marshal(e)
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err != nil {
		w.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	seq, _ := e["seq"].(int)
	w.tails[number] = tail{seq, hex.EncodeToString(sum[:])}
	w.entries = append(w.entries, raw)
}

func (w *world) keyChanged(role string, before, now any) {
	w.add("", "KEY_CHANGED", object{"key": object{"role": role, "old": before, "new": now}})
}

// file files the reports with these counts of the year.
func (w *world) file(counts ...int) {
	for _, n := range counts {
		w.add(fmt.Sprintf("LS-2026-%06d", n), "REPORT_SUBMITTED", nil)
	}
}

// publish publishes all entries.
func (w *world) publish() {
	w.head = w.publishTo(w.store, w.head, w.entries)
}

func (w *world) publishTo(store translog.Store, last *translog.Checkpoint, entries [][]byte) *translog.Checkpoint {
	all := func(_ context.Context, from, to int64) ([][]byte, error) { return entries[from:to], nil }
	size := int64(len(entries))
	root, err := translog.Publish(w.Context(), store, last.Tree, all, size)
	if err != nil {
		w.Fatal(err)
	}
	c, err := translog.SignCheckpoint(w.Context(), w.key, last.Tree, tlog.Tree{N: size, Hash: root})
	if err != nil {
		w.Fatal(err)
	}
	if err := store.Put(w.Context(), translog.File{Key: translog.CheckpointKey, Data: c.Signed}); err != nil {
		w.Fatal(err)
	}
	return c
}

// send writes a message with the newest checkpoint to the ledger.
func (w *world) send(payer string, entries ...object) {
	raw, err := json.Marshal(object{"checkpoint": string(w.head.Signed), "entries": entries})
	if err != nil {
		w.Fatal(err)
	}
	w.sendRaw(payer, raw)
}

func (w *world) sendRaw(payer string, raw []byte) {
	w.messages = append(w.messages, object{"message": raw, "payer_account_id": payer, "topic_id": "0.0.7", "sequence_number": len(w.messages) + 1,
		"consensus_timestamp": fmt.Sprintf("%d.000000001", w.now.Unix())})
}

// round does a round of a new follower, as after a restart. It returns the alarms as text.
func (w *world) round() string {
	w.Helper()
	path := w.TempDir() + "/state"
	f := follow.New(w.options, w.state)
	alarms, err := f.Round(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if err := f.State().Save(path); err != nil {
		w.Fatal(err)
	}
	if w.state, err = follow.Load(path, w.server.URL); err != nil {
		w.Fatal(err)
	}
	var lines []string
	for _, a := range alarms {
		lines = append(lines, a.String())
	}
	return strings.Join(lines, "\n")
}

// receipt is the receipt for an entry that was added.
func (w *world) receipt(index int) string {
	var e struct {
		Number string `json:"report_number"`
		At     string `json:"ts"`
	}
	if err := json.Unmarshal(w.entries[index], &e); err != nil {
		w.Fatal(err)
	}
	text := fmt.Sprintf("%s\n%s\n%d\n%s\n%s\n", logtest.Origin, e.Number, index, tlog.RecordHash(w.entries[index]), e.At)
	return signedBySeed(w, text)
}

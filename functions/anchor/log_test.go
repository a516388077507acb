package anchor_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/translog"
)

// A file of the right edge is changed in the bucket. Nothing is published until the file is restored.
func TestAChangedTileIsNotExtended(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"tile": translog.TileKey(0, 0, 4), "checkpoint": translog.CheckpointKey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.report()
			b.pass(time.Minute)
			right, err := b.store().Get(t.Context(), key, 1<<16)
			if err != nil {
				t.Fatal(err)
			}
			put := func(data []byte) {
				t.Helper()
				if err := b.store().Put(t.Context(), translog.File{Key: key, Data: data}); err != nil {
					t.Fatal(err)
				}
			}
			wrong := []byte(strings.Replace(string(right), "\n4\n", "\n5\n", 1)) // a checkpoint that was not signed
			wrong[len(wrong)/2] ^= 1
			put(wrong)
			b.report()
			b.pass(time.Minute)
			if n := scan[int](b, `SELECT size FROM log_head`); n != 4 {
				t.Errorf("%d events are published", n)
			}
			if !strings.Contains(b.metrics.String(), "log_damaged") {
				t.Error("no alarm metric")
			}
			put(right)
			b.pass(time.Minute)
			b.checkAnchored()
		})
	}
}

// A checkpoint in the bucket that the log's key has signed, with another root than the database
// has, is not replaced. It is the proof of a fork.
func TestTwoRootsOfOneSizeAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	b.pass(time.Minute)
	other, err := translog.SignCheckpoint(t.Context(), b.worker.LogKey, translog.Empty(), tlog.Tree{N: b.published().N, Hash: sha256.Sum256([]byte("another"))})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store().Put(t.Context(), translog.File{Key: translog.CheckpointKey, Data: other.Signed}); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	if !strings.Contains(b.metrics.String(), "log_damaged") {
		t.Error("no alarm metric")
	}
	if shown, err := b.store().Get(t.Context(), translog.CheckpointKey, 1<<16); err != nil || string(shown) != string(other.Signed) {
		t.Errorf("the checkpoint was replaced: %s, %v", shown, err)
	}
}

// The bucket has places that the database does not. No event is written, and nothing is
// published.
func TestARestoredBackupHaltsTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	b.pass(time.Minute)
	size, checkpoint := scan[int64](b, `SELECT size FROM log_head`), scan[string](b, `SELECT checkpoint FROM log_head`)
	b.move(id, "pending", "verified")
	b.pass(time.Minute)
	published := b.published()
	// What a restore brings back, and one event more, as many as were published.
	b.exec(`ALTER TABLE ledger_events DISABLE TRIGGER ALL`)
	b.exec(`DELETE FROM ledger_events WHERE log_index >= $1`, size)
	b.exec(`ALTER TABLE ledger_events ENABLE TRIGGER ALL`)
	b.exec(`UPDATE log_counter SET next = $1`, size)
	b.exec(`DROP TRIGGER note_head ON log_head`)
	b.exec(`UPDATE log_head SET size = $1, checkpoint = $2`, size, checkpoint)
	b.append(id, ledger.Event{Type: ledger.Amended})
	b.pass(time.Minute)

	if got := scan[string](b, `SELECT halted FROM log_counter`); got != ledger.HaltedByRestore {
		t.Errorf("halted: %q", got)
	}
	if !strings.Contains(b.metrics.String(), "log_halted") {
		t.Error("no alarm metric")
	}
	signed, err := b.store().Get(t.Context(), translog.CheckpointKey, 1<<16)
	if err != nil || string(signed) != string(published.Signed) {
		t.Errorf("the published checkpoint is another: %s, %v", signed, err)
	}
	err = outbox.New(b.db, nil, nil).Do(t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(t.Context(), tx, ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: "citizen"}, At: b.clock.Now()})
		return err
	})
	if !errors.Is(err, ledger.ErrHalted) {
		t.Errorf("an event was written: %v", err)
	}
}

// The function names the log that its database keeps.
func TestAnotherOriginPublishesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	b.pass(time.Minute)
	b.config.Log.Origin = "other.example/log"
	b.report()
	if err := b.newWorker(b.db).Round(t.Context()); !errors.Is(err, ledger.ErrOtherOrigin) {
		t.Errorf("got %v", err)
	}
	b.pass(time.Minute)
	b.checkAnchored()
}

// Each key, and each change of one, is an event of the log before it is used.
func TestKeysAreNamedInTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	b.pass(time.Minute)
	key := b.newKey("alias/log2", types.KeySpecEccNistEdwards25519)
	if len(key) != 44 {
		t.Errorf("key of %d bytes", len(key))
	}
	b.config.Log.KeyID, b.config.Log.ReceiptsKey = "alias/log2", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	b.worker = b.newWorker(b.db)
	b.report()
	b.pass(time.Minute)
	b.checkAnchored()
	const named = `SELECT string_agg(convert_from(payload, 'UTF8')::jsonb -> 'key' ->> 'role', ' ' ORDER BY seq) FROM ledger_events WHERE report_id IS NULL`
	if got := scan[string](b, named); got != "log receipts ledger log receipts" {
		t.Errorf("named are %s", got)
	}
	if got := scan[string](b, `SELECT string_agg(concat_ws(' ', role, from_index, until_index), ', ' ORDER BY role, from_index) FROM log_keys`); got != "log 0 5, log 5, receipts 0 6, receipts 6" {
		t.Errorf("log_keys: %s", got)
	}
}

// witness is a server that confirms checkpoints (c2sp.org/tlog-witness), as far as the worker can see.
type witness struct {
	name    string
	private ed25519.PrivateKey
	clock   func() time.Time
	mode    atomic.Value // "", "down", "hung", "forged"
	size    atomic.Int64
}

func newWitness(b *bundle, name string) (*witness, string) {
	seed := sha256.Sum256([]byte(name))
	w := &witness{name: name, private: ed25519.NewKeyFromSeed(seed[:]), clock: b.clock.Now}
	w.mode.Store("")
	server := httptest.NewServer(w)
	b.t.Cleanup(server.Close)
	return w, w.vkey() + "=" + server.URL
}

func (w *witness) id() []byte {
	key := append([]byte{4}, w.private.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(w.name+"\n"), key...))
	return sum[:4]
}

func (w *witness) vkey() string {
	key := append([]byte{4}, w.private.Public().(ed25519.PublicKey)...)
	return fmt.Sprintf("%s+%08x+%s", w.name, binary.BigEndian.Uint32(w.id()), base64.StdEncoding.EncodeToString(key))
}

// ServeHTTP implements http.Handler.
func (w *witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch w.mode.Load() {
	case "down":
		http.Error(out, "down", http.StatusServiceUnavailable)
		return
	case "hung":
		<-r.Context().Done()
		return
	}
	head, note, _ := strings.Cut(string(body), "\n\n")
	var old, size int64
	_, _ = fmt.Sscanf(head, "old %d", &old)
	if old != w.size.Load() {
		out.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(out, "%d\n", w.size.Load())
		return
	}
	text, _, _ := strings.Cut(note, "\n\n")
	_, _ = fmt.Sscanf(strings.Split(text, "\n")[1], "%d", &size)
	at := w.clock().Unix()
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", at, text)
	if w.mode.Load() == "forged" {
		signed += "x"
	}
	raw := binary.BigEndian.AppendUint64(w.id(), uint64(at))
	raw = append(raw, ed25519.Sign(w.private, []byte(signed))...)
	w.size.Store(size)
	_, _ = fmt.Fprintf(out, "— %s %s\n", w.name, base64.StdEncoding.EncodeToString(raw))
}

// Some witnesses fail. The checkpoint is published, with the cosignatures of those that answered. The others are asked again.
func TestWitnessesNeverBlock(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"down", "hung", "forged"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			good, first := newWitness(b, "witness.example/good")
			bad, second := newWitness(b, "witness.example/bad")
			bad.mode.Store(mode)
			b.config.Log.Witnesses = first + "," + second
			b.worker = b.newWorker(b.db)
			b.report()
			b.pass(time.Minute)
			b.checkAnchored()
			lines := func() int {
				t.Helper()
				found, err := translog.Cosignatures(b.published().Signed, good.vkey(), bad.vkey())
				if err != nil {
					t.Fatal(err)
				}
				return len(found)
			}
			if n := lines(); n != 1 {
				t.Errorf("%d witnesses have confirmed, want one", n)
			}
			if messages, _ := b.messages(); !strings.Contains(messages[0].Checkpoint, "witness.example/good") {
				t.Errorf("the message is without its witness: %s", messages[0].Checkpoint)
			}
			bad.mode.Store("")
			if mode == "forged" {
				b.exec(`UPDATE log_witnesses SET size = 0 WHERE vkey = $1`, bad.vkey()) // whatever the table says, the witness tells
			}
			b.pass(2 * time.Minute)
			if n := lines(); n != 2 {
				t.Errorf("%d witnesses have confirmed in the end, want both\n%s", n, b.tail())
			}
			b.report()
			b.pass(time.Minute)
			if n := lines(); n != 2 {
				t.Errorf("%d witnesses have confirmed the next checkpoint, want both", n)
			}
			b.checkAnchored()
		})
	}
}

// Events are written and wait; nothing is signed for files that are not there.
func TestABucketThatIsDownDelaysTheLogAlone(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"s3", "kms"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.report()
			b.pass(time.Minute)
			if err := b.faults.Add(faults.Fault{Service: service, Mode: faults.Error, Count: faults.Forever}); err != nil {
				t.Fatal(err)
			}
			b.report()
			b.pass(10 * time.Minute)
			if n := scan[int](b, `SELECT size FROM log_head`); n != 4 {
				t.Errorf("%d events are published", n)
			}
			b.faults.Clear()
			b.pass(2 * time.Minute)
			b.checkAnchored()
		})
	}
}

// liar is a mirror node that shows other bytes, the first time.
type liar struct {
	anchor.MirrorNode
	lies atomic.Int32
}

func (l *liar) Message(ctx context.Context, topicID string, sequence uint64) (*ledger.TopicMessage, error) {
	m, err := l.MirrorNode.Message(ctx, topicID, sequence)
	if err == nil && l.lies.Add(-1) >= 0 {
		m.Contents = append([]byte("x"), m.Contents...)
	}
	return m, err
}

// A message that the mirror node shows otherwise is failed, and after an interval the next
// one covers the same events.
func TestAContradictionFailsTheMessage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *hedera.Options, _ *anchor.Config) {})
	l := &liar{}
	l.lies.Store(1)
	b.worker = b.newWorkerWith(b.db, b.kms(), func(d *anchor.Deps) { l.MirrorNode = d.Mirror; d.Mirror = l })
	id := b.report()
	b.pass(time.Minute)
	if s := b.place(id); s.Status != "failed" || scan[int](b, `SELECT count(*) FROM log_messages WHERE state = 'failed'`) != 1 {
		t.Errorf("got %+v", s)
	}
	if !strings.Contains(b.metrics.String(), "ledger_contradicted") {
		t.Error("no alarm metric")
	}
	if n := scan[int](b, `SELECT count(*) FROM notifications`); n != 0 {
		t.Errorf("%d reporters were told", n)
	}
	b.pass(4 * time.Minute)
	if s := b.place(id); s.Status != "confirmed" || *s.SequenceNumber != 2 {
		t.Errorf("after the next message: %+v", s)
	}
	messages, heads := b.messages()
	if len(messages) != 2 || heads[0].N != heads[1].N || *messages[1].Entries[0].Number != "LS-2026-000001" {
		t.Errorf("got %d messages: %+v", len(messages), messages)
	}
}

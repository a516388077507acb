package anchor_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

const bucket = "media"

// pictures is the bucket, with the renditions of every report in it.
func (b *bundle) pictures() *storage.Store {
	b.t.Helper()
	client := s3.NewFromConfig(b.aws.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(b.t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
		b.t.Fatal(err)
	}
	store := storage.New(b.aws.Config(), storage.Config{Bucket: bucket, PathStyle: true})
	for _, id := range scan[[]uuid.UUID](b, `SELECT array_agg(upload_id) FROM report_images`) {
		if err := store.Put(b.t.Context(), upload.RenditionKey(id, upload.Display), "image/jpeg", []byte("picture "+id.String())); err != nil {
			b.t.Fatal(err)
		}
	}
	return store
}

func (b *bundle) fsck(pictures *storage.Store) (*fsck.Result, string) {
	b.t.Helper()
	var out bytes.Buffer
	c := fsck.Check{DB: b.db, Mirror: ledger.NewMirror(b.config.Ledger), Config: b.config.Ledger, Signatures: true, Out: &out}
	if pictures != nil {
		c.Pictures = pictures
	}
	r, err := c.Run(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return r, out.String()
}

// unlock takes away the triggers and constraints that hold for the owner of the database too.
func (b *bundle) unlock() {
	b.t.Helper()
	for _, sql := range []string{
		`ALTER TABLE ledger_events DISABLE TRIGGER ALL`,
		`ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_hash_of_payload`,
		`ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_submission_first`,
		`ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_chained`,
		`ALTER TABLE ledger_anchors DROP CONSTRAINT ledger_anchors_event_id_fkey`,
		`ALTER TABLE ledger_submissions DROP CONSTRAINT ledger_submissions_fit`,
	} {
		b.exec(sql)
	}
}

const (
	forged    = `replace(convert_from(payload, 'UTF8'), 'verified', 'rejected')::bytea`
	withSeq   = ` WHERE report_id = $1 AND seq = 2`
	submitted = ` WHERE id = (SELECT submission_id FROM ledger_anchors WHERE report_id = $1 AND seq = 2)`
)

// TestTamperingIsFound: somebody who can write everything in the database and in
// storage still cannot change the past without being found.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		tamper func(b *bundle, report uuid.UUID)
		check  string // the one of verify that fails; none when only fsck can know
		fsck   string // a check fsck names
	}{
		{"payload edited", func(b *bundle, id uuid.UUID) { b.exec(`UPDATE ledger_events SET payload = `+forged+withSeq, id) }, "hash", "hash"},
		{"payload and hash edited", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_events SET payload = `+forged+`, payload_hash = sha256(`+forged+`)`+withSeq, id)
		}, "chain", "chain"},
		{"payload, hash, chain and message edited", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_events SET payload = `+forged+`, payload_hash = sha256(`+forged+`)`+withSeq, id)
			b.exec(`UPDATE ledger_events SET prev_hash = (SELECT payload_hash FROM ledger_events`+withSeq+`) WHERE report_id = $1 AND seq = 3`, id)
			b.exec(`UPDATE ledger_submissions SET message = (SELECT payload FROM ledger_events`+withSeq+`)`+submitted, id)
		}, "message", "message"},
		{"event deleted from the middle", func(b *bundle, id uuid.UUID) { b.exec(`DELETE FROM ledger_events`+withSeq, id) }, "chain", "chain"},
		{"newest event deleted", func(b *bundle, id uuid.UUID) {
			b.exec(`DELETE FROM ledger_events WHERE report_id = $1 AND seq = 3`, id)
		}, "report", "report"},
		{"newest event deleted with every trace", func(b *bundle, id uuid.UUID) {
			sub := scan[uuid.UUID](b, `SELECT submission_id FROM ledger_anchors WHERE report_id = $1 AND seq = 3`, id)
			b.exec(`DELETE FROM ledger_anchors WHERE report_id = $1 AND seq = 3`, id)
			b.exec(`DELETE FROM ledger_events WHERE report_id = $1 AND seq = 3`, id)
			b.exec(`DELETE FROM ledger_transactions WHERE submission_id = $1`, sub)
			b.exec(`DELETE FROM ledger_submissions WHERE id = $1`, sub)
			b.exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
		}, "", "recorded"},
		{"all events deleted", func(b *bundle, id uuid.UUID) { b.exec(`DELETE FROM ledger_events WHERE report_id = $1`, id) }, "anchored", "anchored"},
		{"events swapped", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_events SET seq = CASE seq WHEN 2 THEN 30 WHEN 3 THEN 20 END WHERE report_id = $1 AND seq > 1`, id)
			b.exec(`UPDATE ledger_events SET seq = seq / 10 WHERE report_id = $1 AND seq > 1`, id)
		}, "chain", "chain"},
		{"event inserted", func(b *bundle, id uuid.UUID) {
			b.exec(`INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at, log_index)
				SELECT $2, report_id, 4, event_type, topic, replace(convert_from(payload, 'UTF8'), '"seq":3', '"seq":4')::bytea, payload_hash, payload_hash, now(), 1000
				FROM ledger_events WHERE report_id = $1 AND seq = 3`, id, database.NewID())
			b.exec(`UPDATE ledger_events SET payload = replace(convert_from(payload, 'UTF8'), encode((SELECT prev_hash FROM ledger_events WHERE report_id = $1 AND seq = 3), 'hex'), encode(prev_hash, 'hex'))::bytea WHERE report_id = $1 AND seq = 4`, id)
			b.exec(`UPDATE ledger_events SET payload_hash = sha256(payload) WHERE report_id = $1 AND seq = 4`, id)
		}, "anchored", "anchored"},
		{"message forged with another payer", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_events SET payload = `+forged+`, payload_hash = sha256(`+forged+`)`+withSeq, id)
			b.exec(`UPDATE ledger_events SET prev_hash = (SELECT payload_hash FROM ledger_events`+withSeq+`) WHERE report_id = $1 AND seq = 3`, id)
			payload := scan[[]byte](b, `SELECT payload FROM ledger_events`+withSeq, id)
			seq, err := b.net.Forge(b.config.Ledger.TopicStatus, "0.0.666", payload)
			if err != nil {
				b.t.Fatal(err)
			}
			all := b.net.Messages()
			m := all[len(all)-1]
			b.exec(`UPDATE ledger_submissions SET message = $2, sequence_number = $3, transaction_id = $4, running_hash = $5, consensus_nanos = $6`+submitted,
				id, payload, int64(seq), m.TransactionID, m.RunningHash, m.ConsensusTimestamp.UnixNano())
		}, "payer", "payer"},
		{"signed transaction replaced", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_transactions SET signed = (SELECT t.signed FROM ledger_transactions t WHERE t.id <> ledger_transactions.id LIMIT 1)
				WHERE submission_id = (SELECT submission_id FROM ledger_anchors WHERE report_id = $1 AND seq = 2)`, id)
		}, "signature", "signature"},
		{"place on the topic moved", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_submissions SET sequence_number = 77`+submitted, id)
		}, "message", "message"},
		{"running hash edited", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_submissions SET running_hash = sha384('x')`+submitted, id)
		}, "running_hash", "running_hash"},
		{"description edited", func(b *bundle, id uuid.UUID) { b.exec(`UPDATE reports SET description = 'Nothing' WHERE id = $1`, id) }, "content", "content"},
		{"status edited", func(b *bundle, id uuid.UUID) { b.exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, id) }, "report", "report"},
		{"severity edited", func(b *bundle, id uuid.UUID) { b.exec(`UPDATE reports SET severity = 'low' WHERE id = $1`, id) }, "report", "report"},
		{"place edited", func(b *bundle, id uuid.UUID) { b.exec(`UPDATE reports SET latitude = -8.6 WHERE id = $1`, id) }, "report", "report"},
		{"place edited by metres", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE reports SET latitude = latitude + 0.000001 WHERE id = $1`, id)
		}, "content", "content"},
		{"photograph's hash changed", func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE uploads SET display_sha256 = sha256('other') WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = $1)`, id)
		}, "images", "images"},
		{"photograph removed", func(b *bundle, id uuid.UUID) { b.exec(`DELETE FROM report_images WHERE report_id = $1`, id) }, "images", "images"},
		{"photograph's bytes changed", func(b *bundle, id uuid.UUID) {
			u := scan[uuid.UUID](b, `SELECT upload_id FROM report_images WHERE report_id = $1`, id)
			store := storage.New(b.aws.Config(), storage.Config{Bucket: bucket, PathStyle: true})
			if err := store.Put(b.t.Context(), upload.RenditionKey(u, upload.Display), "image/jpeg", []byte("another picture")); err != nil {
				b.t.Fatal(err)
			}
		}, "", "images"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.report() // a neighbour, so that topics hold more than one report
			id := b.report()
			b.move(id, "pending", "verified")
			b.move(id, "verified", "in_progress")
			b.settle()
			pictures := b.pictures()
			if v := b.verify(id); !v.Verified {
				t.Fatalf("before: %+v", v)
			}
			if r, out := b.fsck(pictures); len(r.Findings) != 0 || r.Reports != 2 || r.Messages != 4 || r.Pictures != 2 {
				t.Fatalf("before: %+v\n%s", r, out)
			}
			b.unlock()
			tc.tamper(b, id)
			v := b.verify(id)
			if bad := failing(v); tc.check == "" != v.Verified || tc.check != "" && !slices.Contains(bad, tc.check) {
				t.Errorf("verify: got %v failing, want %q", bad, tc.check)
			}
			r, out := b.fsck(pictures)
			if !slices.ContainsFunc(r.Findings, func(f fsck.Finding) bool { return f.Check == tc.fsck }) {
				t.Errorf("fsck: want a finding %q, got\n%s", tc.fsck, out)
			}
			if len(r.Findings) > 0 && !strings.Contains(out, "the first: "+r.Findings[0].Where) {
				t.Errorf("fsck does not print the first finding:\n%s", out)
			}
		})
	}
}

func failing(v *ledger.Verification) []string {
	var out []string
	for _, c := range v.Checks {
		if !c.OK {
			out = append(out, c.Name)
		}
	}
	return out
}

func TestTamperingWithABatchIsFound(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(b *bundle, id uuid.UUID){
		"leaf edited": func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_events SET payload = replace(convert_from(payload, 'UTF8'), 'pothole', 'flooded')::bytea WHERE report_id = $1`, id)
			b.exec(`UPDATE ledger_events SET payload_hash = sha256(payload) WHERE report_id = $1`, id)
		},
		"leaf moved": func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_anchors SET leaf_index = (leaf_index + 1) % 7 WHERE report_id = $1`, id)
		},
		"proof edited": func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_anchors SET proof = set_byte(proof, 3, 255 - get_byte(proof, 3)) WHERE report_id = $1`, id)
		},
		"proof cut": func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_anchors SET proof = substring(proof FROM 2) WHERE report_id = $1`, id)
		},
		"outside": func(b *bundle, id uuid.UUID) {
			b.exec(`UPDATE ledger_anchors SET leaf_index = 700 WHERE report_id = $1`, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(_ *hedera.Options, c *anchor.Config) { c.BatchThreshold = 2 })
			var last uuid.UUID
			for range 7 {
				last = b.report()
			}
			b.settle()
			if n := len(b.net.Messages()); n != 1 {
				t.Fatalf("got %d messages for 7 events, want 1", n)
			}
			if v := b.verify(last); !v.Verified {
				t.Fatalf("before: %+v", v)
			}
			b.unlock()
			tamper(b, last)
			if bad := failing(b.verify(last)); !slices.Contains(bad, "inclusion") {
				t.Errorf("verify: got %v failing, want inclusion", bad)
			}
			if r, out := b.fsck(nil); !slices.ContainsFunc(r.Findings, func(f fsck.Finding) bool { return f.Check == "inclusion" }) {
				t.Errorf("fsck: want inclusion, got\n%s", out)
			}
		})
	}
}

func TestErasedReportStillVerifies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	b.settle()
	before := scan[[]byte](b, `SELECT payload FROM ledger_events WHERE report_id = $1`, id)
	b.exec(`DELETE FROM report_salts WHERE report_id = $1`, id)
	b.exec(`UPDATE reports SET title = '', description = '' WHERE id = $1`, id)
	v := b.verify(id)
	if !v.Verified {
		t.Errorf("verify: got %+v", v)
	}
	content := v.Checks[slices.IndexFunc(v.Checks, func(c ledger.Check) bool { return c.Name == "content" })]
	if !strings.HasPrefix(content.Detail, "erased") {
		t.Errorf("content: got %q, want to be told that it was erased", content.Detail)
	}
	// What is left, here and on the ledger, holds none of the words, not even hashed without the salt.
	for _, left := range [][]byte{before, b.net.Messages()[0].Contents} {
		for _, secret := range []string{"Kuak", "dalan", "8.556856", "125.560314", b.user.String()} {
			sum := sha256.Sum256([]byte(secret))
			if bytes.Contains(left, []byte(secret)) || bytes.Contains(left, sum[:]) {
				t.Errorf("%q is left in %s", secret, left)
			}
		}
	}
	if r, out := b.fsck(nil); len(r.Findings) != 0 {
		t.Errorf("fsck: %s", out)
	}
}

func TestFsckCountsForeignMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.report()
	b.settle()
	if _, err := b.net.Forge(b.config.Ledger.TopicReports, "0.0.666", []byte(`{"event":"REPORT_SUBMITTED"}`)); err != nil {
		t.Fatal(err)
	}
	b.report() // waits
	if r, out := b.fsck(nil); len(r.Findings) != 0 || r.Foreign != 1 || r.Waiting != 1 {
		t.Errorf("got %+v\n%s", r, out)
	}
}

func TestVerifyFailsWithoutTheMirror(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report()
	b.settle()
	if err := b.net.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := ledger.Verify(t.Context(), b.db, ledger.NewMirror(b.config.Ledger), b.config.Ledger, id)
	if err == nil || !strings.Contains(err.Error(), ledger.ErrMirrorUnavailable.Error()) {
		t.Errorf("got %+v, %v, want ErrMirrorUnavailable", v, err)
	}
}

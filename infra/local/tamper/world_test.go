// Package tamper has one test: whoever has all rights on database, storage and keys changes or drops something, and somebody
// notices.
package tamper

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/lafaek-log/follow"
	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/translog"
	"github.com/lafaekstreet/backend/shared/upload"
)

type object = map[string]any

const account = "0.0.1001"

// world is a system with two reports, published, with the checkpoint on the ledger.
type world struct {
	*testenv.System
	owner     *pgxpool.Pool // may do everything
	net       *hedera.Server
	topic     string
	mod       *testenv.Client
	filed           // the report that is tampered with
	neighbour filed // the other one
}

// filed is a report.
type filed struct {
	id, number string
	upload     string // its picture
	receipt    string // what the reporter kept
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{System: testenv.New(t)}
	w.Serve(reports.Open, community.Open, monitoring.Open, public.Open)
	config, err := pgxpool.ParseConfig(w.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	delete(config.ConnConfig.RuntimeParams, "role")
	if w.owner, err = pgxpool.NewWithConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.owner.Close)
	if w.net, err = hedera.Start(hedera.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.net.Close() })
	if w.topic, err = w.net.EnsureTopic("log", nil); err != nil {
		t.Fatal(err)
	}
	keys := ledger.Keys{Origin: w.Env["LOG_ORIGIN"], Log: logtest.NewKey(t, w.Env["LOG_ORIGIN"]).VKey(), Receipts: w.Text(`SELECT receipts_vkey FROM log_counter`)}
	box := outbox.New(&database.DB{Pool: w.owner}, nil, slog.New(slog.DiscardHandler))
	if err := ledger.RegisterKeys(t.Context(), box, keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.mod = w.Staff(identity.Moderator)
	w.neighbour, w.filed = w.file(1), w.file(2)
	return w
}

// file creates a report with a picture, and has it verified. Somebody comments on it.
func (w *world) file(shade uint8) filed {
	w.Helper()
	c := w.Citizen()
	picture := w.picture(c, shade)
	answer := c.Post("/reports", object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole in front of the school", "latitude": -8.556856, "longitude": 125.560314,
		"images": []object{{"upload_id": picture}}}).Want(http.StatusCreated)
	r := answer.Object()
	id := r.Text("id")
	w.mod.Post("/reports/"+id+"/status", object{"status": "verified", "note": "Seen."}).Want(http.StatusOK)
	c.Post("/reports/"+id+"/comments", object{"content": "It grows."}).Want(http.StatusCreated)
	var kept struct{ Receipt json.RawMessage }
	if err := json.Unmarshal(answer.Body, &kept); err != nil {
		w.Fatal(err)
	}
	return filed{id, r.Text("report_number"), picture, string(kept.Receipt)}
}

// picture uploads a picture, with both renditions in storage.
func (w *world) picture(c *testenv.Client, shade uint8) string {
	w.Helper()
	id := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(shade)).Want(http.StatusCreated).Object().Text("upload_id")
	w.ProcessUpload(id)
	return id
}

// do runs statements as the owner of the database.
func (w *world) do(sql string, args ...any) {
	w.Helper()
	if _, err := w.owner.Exec(w.Context(), sql, args...); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

// publish publishes all events, with the checkpoint on the ledger.
func (w *world) publish() {
	w.Helper()
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))
	message, err := json.Marshal(object{"checkpoint": w.Text(`SELECT checkpoint FROM log_head`), "entries": []object{{"i": 0, "n": nil, "e": ledger.KeyChanged}}})
	if err != nil {
		w.Fatal(err)
	}
	sequence, err := w.net.Forge(w.topic, account, message)
	if err != nil {
		w.Fatal(err)
	}
	all := w.net.Messages()
	sent := all[len(all)-1]
	w.do(`INSERT INTO log_messages (id, topic_id, size, first_index, shown, message, state, transaction_id, signed, expires_at, sequence_number, running_hash, consensus_nanos,
			next_attempt_at, created_at, updated_at)
		SELECT $1, $2, size, 0, size, $3, 'confirmed', $4, '', now(), $5, $6, $7, now(), now(), now() FROM log_head`,
		uuid.New(), w.topic, message, sent.TransactionID, int64(sequence), sent.RunningHash, sent.ConsensusTimestamp.UnixNano())
}

// unlock takes away what holds the owner of the database back too.
func (w *world) unlock() {
	w.Helper()
	for _, table := range []string{"ledger_events", "reports", "report_salts", "report_comments", "report_status_history", "report_images", "uploads"} {
		w.do(`ALTER TABLE ` + table + ` DISABLE TRIGGER ALL`)
	}
	w.do(`DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid::regclass::text IN ('ledger_events', 'ledger_anchors', 'reports') LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
		END LOOP; END $$`)
}

// verify are the checks of the verify route that fail; "404" where there is no such report.
func (w *world) verify() []string {
	w.Helper()
	got := w.mod.Get("/blockchain/report/" + w.id + "/verify")
	if got.Status == http.StatusNotFound {
		return []string{"404"}
	}
	return failing(got.Want(http.StatusOK).Object())
}

func failing(v apiclient.Object) []string {
	var out []string
	for _, c := range v.Items("checks") {
		if c.At("ok") != true {
			out = append(out, c.Text("name"))
		}
	}
	return out
}

// fsck are the findings, as "report number: check".
func (w *world) fsck() ([]string, string) {
	w.Helper()
	var out bytes.Buffer
	c := ledger.Config{Network: "local", Accounts: []string{account}, TopicReports: w.topic, MirrorURL: w.net.MirrorURL(), MirrorTimeout: 60e9}
	r, err := (&fsck.Check{DB: w.owner, Mirror: ledger.NewMirror(c), Log: w.LogStore(), Pictures: w.store(), Config: c, Out: &out}).Run(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var found []string
	for _, f := range r.Findings {
		found = append(found, f.Where+": "+f.Check)
	}
	return found, out.String()
}

func (w *world) store() *storage.Store {
	return storage.New(w.AWS.Config(), storage.Config{Bucket: testenv.Bucket, PathStyle: true})
}

// swap exchanges a rendition of the two pictures.
func (w *world) swap(r upload.Rendition) {
	w.Helper()
	one, other := upload.RenditionKey(uuid.MustParse(w.upload), 0, r), upload.RenditionKey(uuid.MustParse(w.neighbour.upload), 0, r)
	client := s3.NewFromConfig(w.AWS.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	bodies := map[string][]byte{}
	for _, key := range []string{one, other} {
		body, err := w.store().Read(w.Context(), key, 1<<20)
		if err != nil {
			w.Fatal(err)
		}
		bodies[key] = body
	}
	for key, from := range map[string]string{one: other, other: one} {
		_, err := client.PutObject(w.Context(), &s3.PutObjectInput{Bucket: awssdk.String(testenv.Bucket), Key: awssdk.String(key), Body: bytes.NewReader(bodies[from])})
		if err != nil {
			w.Fatal(err)
		}
	}
}

// judge is the verdict on the reporter's receipt, with what the site answers now.
func (w *world) judge() judge.Verdict {
	w.Helper()
	get := func(path string) string {
		res, err := http.Get(w.URL + path)
		if err != nil {
			w.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			w.Fatal(err)
		}
		if res.StatusCode != http.StatusOK {
			return ""
		}
		return string(body)
	}
	var receipt struct{ Note string }
	if err := json.Unmarshal([]byte(w.receipt), &receipt); err != nil {
		w.Fatal(err)
	}
	index := strings.Split(receipt.Note, "\n")[2]
	return judge.Judge(judge.Material{Receipt: w.receipt, Keys: get("/log/keys"), Proof: get("/log/proof/" + index), Checkpoint: get("/log/checkpoint")}).Verdict
}

// follower is somebody who begins to follow the log.
func (w *world) follower() *follow.Follower {
	return follow.New(follow.Options{URL: w.URL}, follow.NewState(w.URL))
}

// alarms are those of one round.
func (w *world) alarms(f *follow.Follower) []follow.Alarm {
	w.Helper()
	alarms, err := f.Round(w.Context())
	if err != nil {
		alarms = append(alarms, follow.Alarm{Kind: follow.Tampered, Text: err.Error()}) // it cannot be read
	}
	return alarms
}

// has reports whether a finding of fsck begins with where and ends with check; where may be empty.
func has(found []string, where, check string) bool {
	return slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, where) && strings.HasSuffix(f, ": "+check) })
}

// size is the number of events.
func (w *world) size() int { return w.Int(`SELECT count(*) FROM ledger_events`) }

// wipe deletes a report and everything about it.
func (w *world) wipe(id string) {
	w.Helper()
	for _, table := range []string{"ledger_anchors", "ledger_events", "report_salts", "report_comments", "report_status_history", "report_images",
		"notifications", "duplicate_candidates", "report_changes"} {
		w.do(`DELETE FROM `+table+` WHERE report_id = $1`, id)
	}
	w.do(`DELETE FROM reports WHERE id = $1`, id)
}

// damage changes one byte of a file of the log.
func (w *world) damage(key string) {
	w.Helper()
	data, err := w.LogStore().Get(w.Context(), key, 1<<20)
	if err != nil {
		w.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := w.LogStore().Put(w.Context(), translog.File{Key: key, Data: data}); err != nil {
		w.Fatal(err)
	}
}

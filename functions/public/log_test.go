package public_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/translog"
)

// ofMadeUpEntries serves a log with made-up entries that grew to each of the sizes in turn.
func ofMadeUpEntries(t *testing.T, sizes ...int64) (*testenv.System, *translog.Checkpoint) {
	t.Helper()
	w := testenv.New(t)
	w.Env["LOG_ORIGIN"] = logtest.Origin
	w.Serve(public.Open)
	c := logtest.Grown(t, w.LogStore(), sizes...)
	w.KeepCheckpoint(c, logtest.NewKey(t, logtest.Origin).VKey())
	return w, c
}

func TestLogFilesAreServed(t *testing.T) {
	t.Parallel()
	w, c := ofMadeUpEntries(t, 255, 600)
	nobody := w.Anonymous().With("Origin", "https://verifier.example")
	const forever, brief = "public, max-age=31536000, immutable", "public, max-age=5"
	for path, want := range map[string]struct {
		cache, media string
		size         int
	}{
		"//log/checkpoint":           {brief, "text/plain; charset=utf-8", len(c.Signed)},
		"//log/tile/0/000":           {forever, "application/octet-stream", 8192},
		"//log/tile/0/002.p/88":      {forever, "application/octet-stream", 88 * 32},
		"//log/tile/0/002.p/88/":     {forever, "application/octet-stream", 88 * 32},
		"//log/tile/1/000.p/2":       {forever, "application/octet-stream", 2 * 32},
		"//log/tile/entries/000":     {forever, "application/octet-stream", 0},
		"//log/tile/0/000.p/255":     {forever, "application/octet-stream", 255 * 32}, // is gone: the beginning of the full one
		"//log/tile/entries/000.p/3": {forever, "application/octet-stream", 3 * (2 + len(`{"entry":0}`))},
		"//log/tile/0%2F000":         {forever, "application/octet-stream", 8192},
	} {
		got := nobody.Get(path).Want(http.StatusOK)
		if got.Header.Get("Cache-Control") != want.cache || got.Header.Get("Content-Type") != want.media ||
			got.Header.Get("Access-Control-Allow-Origin") != "*" || got.Header.Get("RateLimit-Limit") != "600" {
			t.Errorf("%s: %v", path, got.Header)
		}
		if want.size > 0 && len(got.Body) != want.size {
			t.Errorf("%s: %d bytes, want %d", path, len(got.Body), want.size)
		}
		tag := got.Header.Get("ETag")
		if again := nobody.With("If-None-Match", tag).Get(path); tag == "" || again.Status != http.StatusNotModified || len(again.Body) > 0 {
			t.Errorf("%s: %d for the tag %s", path, again.Status, tag)
		}
		if head := nobody.Do(http.MethodHead, path, nil); head.Status != http.StatusOK || len(head.Body) > 0 || head.Header.Get("Cache-Control") != want.cache {
			t.Errorf("HEAD %s: %d %v", path, head.Status, head.Header)
		}
		if post := nobody.Post(path, nil); post.Status != http.StatusMethodNotAllowed || !strings.Contains(post.Header.Get("Allow"), "GET") {
			t.Errorf("POST %s: %d", path, post.Status)
		}
	}
	if got := nobody.Get("//log/checkpoint").Body; !bytes.Equal(got, c.Signed) {
		t.Errorf("checkpoint: %q", got)
	}
}

func TestLogHasNothingElse(t *testing.T) {
	t.Parallel()
	w, _ := ofMadeUpEntries(t, 255, 600)
	if err := w.LogStore().Put(t.Context(), translog.File{Key: "private", Data: []byte("secret")}); err != nil {
		t.Fatal(err)
	}
	nobody := w.Anonymous()
	for _, path := range []string{
		"//log", "//log/private", "//log/tile", "//log/tile/0", "//log/tile/0/003", "//log/tile/0/002", "//log/tile/0/002.p/256", "//log/tile/0/002.p/0",
		"//log/tile/0/002.p/99", "//log/tile/0/002.p/088", "//log/tile/00/000", "//log/tile/64/000", "//log/tile/-1/000", "//log/tile/data/000", "//log/tile/0/0",
		"//log/tile/0/x000/000", "//log/tile/entries/003", "//log/tile/8/0/000", "//log/tile/..%2Fprivate", "//log/tile/%2e%2e/private", "//log/tile/../private",
		"//log/tile/entries/..%2F..%2Fprivate", "//log/tile/0/x999/x999/x999/x999/999",
	} {
		if got := nobody.Get(path); got.Status != http.StatusNotFound || got.Header.Get("Cache-Control") != "no-store" || bytes.Contains(got.Body, []byte("secret")) {
			t.Errorf("%s: %d %v %s", path, got.Status, got.Header.Get("Cache-Control"), got.Body)
		}
	}
	nobody.Get("//log/tile/0/000%00").Want(http.StatusUnprocessableEntity)
	nobody.Get("//log/tile/" + strings.Repeat("x000/", 20) + "000").Want(http.StatusUnprocessableEntity)
}

func TestLogWithoutACheckpoint(t *testing.T) {
	t.Parallel()
	w := setup(t)
	nobody := w.Anonymous()
	id, _ := file(w, w.Citizen(), nil)
	for _, path := range []string{"//log/checkpoint", "//log/proof/0", "/public/blockchain/report/" + id + "/proof"} {
		got := nobody.Get(path).Want(http.StatusNotFound)
		if got.Object().Text("code") != "not_published" || got.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: %v %s", path, got.Header, got.Body)
		}
	}
	keys := nobody.Get("//log/keys").Want(http.StatusOK)
	const want = `{"origin":"lafaekstreet-test/log","log_vkey":null,"receipts_vkey":null,"log_vkeys":[],"receipts_vkeys":[],"ledger":null,"witnesses":[],"merge_delay_seconds":3600}`
	if strings.TrimSpace(string(keys.Body)) != want {
		t.Errorf("keys before the first round: %s", keys.Body)
	}
	w.AWS.Close()
	nobody.Get("//log/tile/0/000").Want(http.StatusServiceUnavailable)
}

func TestProofsOfAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, nobody := w.Citizen(), w.Anonymous()
	file(w, author, object{"title": "Another one"})
	id, number := file(w, author, object{"title": "A hole"})
	author.Patch("/reports/"+id, object{"title": "A deep hole"}).Want(http.StatusOK)
	author.Patch("/reports/"+id, object{"title": "A deeper hole"}).Want(http.StatusOK)
	size := int64(w.Int(`SELECT next FROM log_counter`)) - 1
	key := w.PublishLog(size)

	for _, ref := range []string{id, number} {
		text := nobody.Get("/public/blockchain/report/" + ref + "/proof").Want(http.StatusOK)
		if text.Header.Get("Content-Type") != "text/plain; charset=utf-8" || strings.Count(string(text.Body), "\n--\n") != 1 {
			t.Fatalf("%v\n%s", text.Header, text.Body)
		}
		proofs, err := translog.ParseProofs(string(text.Body))
		if err != nil || len(proofs) != 2 { // the newest entry is not published yet
			t.Fatal(err, len(proofs))
		}
		for i, p := range proofs {
			if _, err := p.Verify(w.Env["LOG_ORIGIN"], key.VKey()); err != nil {
				t.Errorf("proof %d: %v", i, err)
			}
			if want := w.Text(`SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1 AND seq = $2`, id, i+1); string(p.Entry) != want {
				t.Errorf("proof %d is of %s, want %s", i, p.Entry, want)
			}
		}
		from := nobody.Get(fmt.Sprintf("/public/blockchain/report/%s/proof?from=%d", ref, proofs[1].Index)).Want(http.StatusOK)
		if string(from.Body) != proofs[1].String() {
			t.Errorf("from the second entry: %s", from.Body)
		}
	}
	checkWithoutOurCode(t, string(nobody.Get("//log/proof/0").Want(http.StatusOK).Body), key.VKey())
	for path, want := range map[string]int{fmt.Sprintf("//log/proof/%d", size): 404, "//log/proof/1099511627775": 404, "//log/proof/-1": 422, "//log/proof/00": 404, "//log/proof/01": 404,
		"//log/proof/+1":            404,
		"//log/proof/1099511627776": 422, "//log/proof/one": 422, "/public/blockchain/report/LS-2026-999999/proof": 404, "/public/blockchain/report/x/proof": 422} {
		if got := nobody.Get(path); got.Status != want {
			t.Errorf("%s: %d, want %d", path, got.Status, want)
		}
	}
}

// checkWithoutOurCode verifies a proof with x/mod alone, as c2sp.org/tlog-proof says.
func checkWithoutOurCode(t *testing.T, text, vkey string) {
	t.Helper()
	head, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil || len(lines) < 3 {
		t.Fatalf("%v\n%s", err, text)
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + strings.SplitN(signed.Text, "\n", 2)[1]))
	if err != nil {
		t.Fatal(err)
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil || lines[2] != "index 0" {
		t.Fatalf("%v: %v", err, lines)
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			t.Fatal(err)
		}
		proof = append(proof, h)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, 0, tlog.RecordHash(entry)); err != nil {
		t.Error(err)
	}
}

func TestManyProofsComeInParts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, _ := file(w, w.Citizen(), nil)
	for seq := 2; seq <= 102; seq++ {
		w.Exec(`INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, prev_hash, created_at, log_index)
			SELECT gen_random_uuid(), report_id, $2, 'CONTENT_AMENDED', p, sha256(p), payload_hash, now(), $2 - 1
			FROM ledger_events, convert_to($3, 'UTF8') p WHERE report_id = $1 AND seq = $2 - 1`, id, seq, fmt.Sprintf(`{"n":%d}`, seq))
	}
	w.PublishLog(102)
	first := w.Anonymous().Get("/public/blockchain/report/" + id + "/proof").Want(http.StatusOK)
	proofs, err := translog.ParseProofs(string(first.Body))
	if err != nil || len(proofs) != 100 || first.Header.Get("X-Truncated") != "true" {
		t.Fatalf("%v: %d proofs, %v", err, len(proofs), first.Header)
	}
	rest := w.Anonymous().Get("/public/blockchain/report/" + id + "/proof?from=100").Want(http.StatusOK)
	if proofs, err = translog.ParseProofs(string(rest.Body)); err != nil || len(proofs) != 2 || rest.Header.Get("X-Truncated") != "" {
		t.Errorf("%v: %d proofs, %v", err, len(proofs), rest.Header)
	}
}

// What was taken down stays accounted for: its record and its proofs are public, whatever became of the report. A report
// that was hidden without an event does not verify.
func TestWhatWasTakenDownKeepsItsRecord(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody := w.Citizen(), w.Anonymous()
	var refs []string
	for _, title := range []string{"rejected", "withdrawn", "removed", "hidden"} {
		id, number := file(w, c, object{"title": title})
		refs = append(refs, id, number)
	}
	w.Staff(identity.Moderator).Post("/reports/"+refs[0]+"/status", object{"status": "rejected", "reason_code": "unsafe"}).Want(http.StatusOK)
	c.Delete("/reports/" + refs[2]).Want(http.StatusOK)
	w.Staff(identity.Admin).Do(http.MethodDelete, "/reports/"+refs[4], object{"reason_code": "unsafe"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, refs[6])
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))
	for i, ref := range refs {
		if got := nobody.Get("/public/reports/" + ref).Want(http.StatusGone); got.Code() != "report_removed" {
			t.Errorf("%s: %s", ref, got.Body)
		}
		record := "/public/blockchain/report/" + ref
		events := 2
		if i >= 6 {
			events = 1
		}
		entries := nobody.Get(record + "/history").Want(http.StatusOK).Object().Items("entries")
		proofs, err := translog.ParseProofs(string(nobody.Get(record + "/proof").Want(http.StatusOK).Body))
		if len(entries) != events || len(proofs) != events || err != nil || entries[0].At("payload") == nil {
			t.Errorf("%s: %d entries, %d proofs, %v", ref, len(entries), len(proofs), err)
		}
		v := nobody.Get(record + "/verify").Want(http.StatusOK).Object()
		if v.At("verified") != (i < 6) {
			t.Errorf("%s: %v", ref, v.Values)
		}
	}
}

// A changed file of the store is no proof.
func TestProofsAreCheckedBeforeTheyAreGiven(t *testing.T) {
	t.Parallel()
	w, _ := ofMadeUpEntries(t, 300)
	if err := w.LogStore().Put(t.Context(), translog.File{Key: translog.TileKey(0, 0, 256), Data: make([]byte, 8192)}); err != nil {
		t.Fatal(err)
	}
	w.Anonymous().Get("//log/proof/3").Want(http.StatusInternalServerError)
}

func TestLogKeys(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	witness := witnessKey("witness.example")
	w.Env["HEDERA_ACCOUNT_ID"], w.Env["HEDERA_TOPIC_REPORTS"], w.Env["HEDERA_MIRROR_URL"] = "0.0.1001,0.0.1000", "0.0.1002", "https://mirror.example"
	w.Env["LOG_WITNESSES"] = witness + "=https://witness.example/"
	w.Serve(reports.Open, public.Open)
	w.Exec(`UPDATE log_head SET origin = $1`, w.Env["LOG_ORIGIN"])
	w.Exec(`INSERT INTO log_keys (role, vkey, from_index, until_index) VALUES ('log', 'log-1', 0, 7), ('log', 'log-2', 7, NULL), ('receipts', 'receipts-1', 0, NULL)`)
	const named = `{"event":"KEY_CHANGED","key":{"new":{"account_id":"0.0.1001","network":"local","public_key":"02ab","topic_id":"0.0.1002"},"old":null,"role":"ledger"}}`
	w.Exec(`INSERT INTO ledger_events (id, seq, event_type, payload, payload_hash, created_at, log_index)
		SELECT gen_random_uuid(), 1, 'KEY_CHANGED', p, sha256(p), $2, 0 FROM convert_to($1, 'UTF8') p`, named, time.Now())

	got := w.Anonymous().Get("//log/keys").Want(http.StatusOK)
	want := `{"origin":"lafaekstreet-test/log","log_vkey":"log-2","receipts_vkey":"receipts-1",` +
		`"log_vkeys":[{"vkey":"log-2","from":7},{"vkey":"log-1","from":0,"until":7}],"receipts_vkeys":[{"vkey":"receipts-1","from":0}],` +
		`"ledger":{"network":"local","topic_id":"0.0.1002","account_id":"0.0.1001","public_key":"02ab","mirror_url":"https://mirror.example"},` +
		`"witnesses":["` + witness + `"],"merge_delay_seconds":3600}`
	if strings.TrimSpace(string(got.Body)) != want {
		t.Errorf("got  %s\nwant %s", got.Body, want)
	}
	if got.Header.Get("Cache-Control") != "public, max-age=5" || got.Header.Get("ETag") == "" {
		t.Errorf("header: %v", got.Header)
	}

	w.Env["HEDERA_ACCOUNT_ID"] = ""
	w.Serve(public.Open)
	if keys := w.Anonymous().Get("//log/keys").Want(http.StatusOK); !bytes.Contains(keys.Body, []byte(`"ledger":null`)) {
		t.Errorf("without an account: %s", keys.Body)
	}
	w.Env["LOG_ORIGIN"] = "another.example/log"
	w.Serve(public.Open)
	w.Anonymous().Get("//log/keys").Want(http.StatusInternalServerError)
}

// witnessKey is a verifier key of a witness: Ed25519 cosignatures, type 4.
func witnessKey(name string) string {
	key := append([]byte{4}, bytes.Repeat([]byte{7}, 32)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return fmt.Sprintf("%s+%x+%s", name, sum[:4], base64.StdEncoding.EncodeToString(key))
}

package system_test

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/firstversion"
	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// upgraded is a system that runs on the state of the first version.
type upgraded struct {
	*testing.T
	*system.System
	dir   string
	db    *pgx.Conn // owns the database
	held  firstversion.Held
	admin apiclient.Tester
	maria apiclient.Tester
}

// upgrade starts a system on the state of the first version, after the changes to its database. before is asked of that
// database; its answer is returned.
func upgrade(t *testing.T, before string, changes ...string) (*upgraded, []string) {
	t.Helper()
	u := &upgraded{T: t, dir: t.TempDir(), held: firstversion.Hold(t)}
	address := firstversion.Database(t)
	var err error
	if u.db, err = pgx.Connect(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.db.Close(context.WithoutCancel(t.Context())) })
	firstversion.Place(t, u.dir)
	for _, change := range changes {
		if _, err := u.db.Exec(t.Context(), change, u.held.Reports["fixed"]); err != nil {
			t.Fatal(err)
		}
	}
	was := u.texts(before)
	o := options(t, u.dir)
	o.Env["DATABASE_URL"] = address
	u.System = start(t, o)
	api := apiclient.NewTester(t, u.URL())
	session := api.Post("/auth/refresh", map[string]any{"refresh_token": u.held.MariaRefresh}).Want(http.StatusOK).Object()
	u.maria = api.WithToken(session.Text("access_token"))
	asked := api.Post("/auth/login", map[string]any{"email": "admin@example.org", "password": u.held.Password}).Want(http.StatusOK).Object()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.held.TOTPSecret)
	if err != nil {
		t.Fatal(err)
	}
	in := api.Post("/auth/totp/verify", map[string]any{"challenge_id": asked.Text("challenge_id"), "code": credential.TOTPCode(secret, credential.TOTPStep(time.Now()))}).
		Want(http.StatusOK).Object()
	u.admin = api.WithToken(in.Text("access_token"))
	return u, was
}

// texts are the first columns of the rows.
func (u *upgraded) texts(sql string, args ...any) []string {
	u.Helper()
	rows, _ := u.db.Query(u.Context(), sql, args...)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		u.Fatal(err)
	}
	return out
}

// confirmed waits until every report is confirmed on the ledger.
func (u *upgraded) confirmed() {
	u.Helper()
	const waiting = `SELECT report_number || ' ' || blockchain_status FROM reports WHERE blockchain_status <> 'confirmed' ORDER BY 1`
	var left []string
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if left = u.texts(waiting); len(left) == 0 {
			return
		}
	}
	u.Fatalf("not confirmed: %v", left)
}

// settings are those that the system wrote for commands.
func (u *upgraded) settings() config.Env {
	u.Helper()
	raw, err := os.ReadFile(filepath.Join(u.dir, "env"))
	if err != nil {
		u.Fatal(err)
	}
	env := config.Env{"DATABASE_URL": u.db.Config().ConnString()}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "'\n"), "='"); ok {
			env[name] = value
		}
	}
	return env
}

// fsck returns the findings.
func (u *upgraded) fsck() []string {
	u.Helper()
	env := u.settings()
	settings, err := config.Parse[struct {
		Database database.Config
		Ledger   ledger.Config
		Storage  storage.Config
		Log      storage.LogConfig
	}](env)
	if err != nil {
		u.Fatal(err)
	}
	db, err := database.Open(u.Context(), settings.Database)
	if err != nil {
		u.Fatal(err)
	}
	defer db.Close()
	aws, err := config.LoadAWS(u.Context(), env)
	if err != nil {
		u.Fatal(err)
	}
	published, err := storage.NewLog(aws, settings.Log, timestamp.System{})
	if err != nil {
		u.Fatal(err)
	}
	check := &fsck.Check{DB: db, Mirror: ledger.NewMirror(settings.Ledger), Log: published, Pictures: storage.New(aws, settings.Storage),
		Config: settings.Ledger, Signatures: true, Out: io.Discard}
	result, err := check.Run(u.Context())
	if err != nil {
		u.Fatal(err)
	}
	var out []string
	for _, f := range result.Findings {
		out = append(out, fmt.Sprintf("%s %s: %s", f.Where, f.Check, f.Detail))
	}
	return out
}

// verified reports whether a report verifies, and why not.
func (u *upgraded) verified(id string) (bool, string) {
	u.Helper()
	v := u.admin.Get("/blockchain/report/" + id + "/verify").Want(http.StatusOK).Object()
	var broken []string
	for _, c := range v.Items("checks") {
		if c.At("ok") != true {
			broken = append(broken, c.Text("name")+": "+c.Text("detail"))
		}
	}
	return v.At("verified") == true, strings.Join(broken, "; ")
}

// archived says where the first version has anchored each event.
const archived = `SELECT concat_ws(' ', e.id, s.topic_id, s.sequence_number, s.transaction_id, s.consensus_nanos) FROM ledger_events e
	JOIN ledger_anchors a ON a.event_id = e.id JOIN ledger_submissions s ON s.id = a.submission_id WHERE s.state = 'confirmed' ORDER BY a.position`

// TestTheStateOfTheFirstVersionGoesOn starts the system on the state that the first version left, and asks what people ask.
func TestTheStateOfTheFirstVersionGoesOn(t *testing.T) {
	t.Parallel()
	u, was := upgrade(t, archived)
	u.confirmed()
	if now := u.texts(archived); strings.Join(now, "\n") != strings.Join(was, "\n") {
		t.Errorf("where events were anchored:\n%v\nbefore:\n%v", now, was)
	}
	for name, id := range u.held.Reports {
		if ok, why := u.verified(id); !ok {
			t.Errorf("%s does not verify: %s", name, why)
		}
	}
	u.history()
	u.clients()
	if findings := u.fsck(); len(findings) > 0 {
		t.Errorf("findings: %v", findings)
	}
}

// history asks where the events of a report are.
func (u *upgraded) history() {
	u.Helper()
	h := u.admin.Get("/blockchain/report/" + u.held.Reports["fixed"] + "/history").Want(http.StatusOK).Object()
	want := u.texts(`SELECT concat_ws(' ', s.topic_id, s.sequence_number, s.transaction_id) FROM ledger_events e
		JOIN ledger_anchors a ON a.event_id = e.id JOIN ledger_submissions s ON s.id = a.submission_id WHERE e.report_id = $1 AND convert_from(e.payload, 'UTF8')::jsonb ->> 'v' = '1' ORDER BY e.seq`, u.held.Reports["fixed"])
	entries := h.Items("entries")
	if len(entries) != len(want)+1 {
		u.Fatalf("%d entries, want those of before and the baseline: %d", len(entries), len(want)+1)
	}
	for i, e := range entries {
		got := fmt.Sprintf("%s %.0f %s", e.Text("topic_id"), e.Number("sequence_number"), e.Text("transaction_id"))
		if i < len(want) && got != want[i] {
			u.Errorf("entry %d is at %s, want %s", i+1, got, want[i])
		}
		if e.Text("transaction_id") == "" {
			u.Errorf("entry %d has no transaction", i+1)
		}
	}
}

// clients asks what phones ask that know the first version.
func (u *upgraded) clients() {
	u.Helper()
	id := u.held.Reports["repeated"]
	if again := u.maria.Post("/reports", u.held.RepeatedBody).Object(); again.Text("id") != id {
		u.Errorf("a repeated client_id made %s, want %s", again.Text("id"), id)
	}
	keyed := u.maria.With("Idempotency-Key", "report-of-the-first-version").Post("/reports", u.held.RepeatedBody).Object()
	if keyed.Text("id") != id || keyed.Text("report_number") != fmt.Sprint(u.held.RepeatedAnswer["report_number"]) {
		u.Errorf("a repeated Idempotency-Key got %s", keyed.Text("id"))
	}
	made := u.maria.Post("/reports", map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "latitude": -8.6, "longitude": 125.9,
		"images": []any{map[string]any{"upload_id": u.held.UploadSent}}}).Want(http.StatusCreated).Object()
	if len(made.Items("images")) != 1 {
		u.Error("an upload of before cannot be attached")
	}
	if twice := u.texts(`SELECT report_number FROM reports WHERE report_number = $1 AND id <> $2`, made.Text("report_number"), made.Text("id")); len(twice) > 0 {
		u.Errorf("%s was given out before", made.Text("report_number"))
	}
	if note := made.Text("receipt.note"); !strings.HasPrefix(note, "lafaekstreet-local/log\n"+made.Text("report_number")+"\n") {
		u.Errorf("the receipt of a new report is %q", note)
	}
	u.confirmed()
}

// A difference from before the log is named by an event, and by every verification after that.
func TestADifferenceOfTheFirstVersionIsNamed(t *testing.T) {
	t.Parallel()
	u, _ := upgrade(t, archived, `UPDATE reports SET title = 'x' WHERE id = $1`)
	u.confirmed()
	if ok, _ := u.verified(u.held.Reports["fixed"]); ok {
		t.Error("a report whose title was changed verifies")
	}
	if ok, why := u.verified(u.held.Reports["verified"]); !ok {
		t.Errorf("another report: %s", why)
	}
	findings, _ := json.Marshal(u.fsck())
	if !strings.Contains(string(findings), "LS-2026-000001") {
		t.Errorf("fsck found %s", findings)
	}
}

package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// TestReceiptsOfChangesAreJudged takes the receipt of each change of a report, and the words that it is about, from the
// answers as their owners get them.
func TestReceiptsOfChangesAreJudged(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["SEAL_KEYS"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	w.Serve(reports.Open, public.Open, community.Open, staff.Open, users.Open)
	w.Exec(`INSERT INTO log_keys (role, vkey, from_index) SELECT 'receipts', receipts_vkey, 0 FROM log_counter`)
	c, moderator := w.Citizen(), w.Staff(identity.Moderator)
	filed := c.Post("/reports", map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Kuak", "description": "Iha dalan.",
		"latitude": -8.5569, "longitude": 125.5603, "captured_at": "2026-11-20T08:30:00.5+09:00", "is_anonymous": true}).Want(http.StatusCreated)
	path := "/reports/" + filed.Object().Text("id")
	changed := c.Patch(path, map[string]any{"title": "Kuak boot"}).Want(http.StatusOK)
	moved := moderator.Post(path+"/status", map[string]any{"status": "verified", "note": "Ami haree ona."}).Want(http.StatusOK)
	said := c.Post(path+"/comments", map[string]any{"content": "Obrigadu."}).Want(http.StatusCreated)
	now := c.Get(path).Want(http.StatusOK)
	public := w.Anonymous().Get("/public" + path).Want(http.StatusOK)
	export := c.Get("/users/me/export").Want(http.StatusOK)
	exported := func(kind string) string {
		raw, err := json.Marshal(export.Object().Items("records." + kind)[0].Values)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))
	keys := string(w.Anonymous().Get("//log/keys").Want(http.StatusOK).Body)
	all := string(w.Anonymous().Get("/public/blockchain/report/" + filed.Object().Text("id") + "/proof").Want(http.StatusOK).Body)

	note := `{"note":"Ami haree ona."}`
	for _, c := range []struct {
		name, answer, content string
		want                  judge.Verdict
		codes                 int // findings besides the reason
	}{
		{"as filed", string(filed.Body), string(filed.Body), judge.Kept, 1},
		{"as filed, with the later title", string(filed.Body), string(now.Body), judge.Kept, 1},
		{"changed", string(changed.Body), string(changed.Body), judge.Kept, 1},
		{"later", string(now.Body), string(now.Body), judge.Kept, 1},
		{"public", string(filed.Body), string(public.Body), judge.Unproven, 0},
		{"export", exported("reports"), "", judge.Kept, 1},
		{"export of a comment", exported("comments"), "", judge.Kept, 1},
		{"note", string(moved.Body), note, judge.Kept, 1},
		{"another note", string(moved.Body), `{"note":"Ami la haree."}`, judge.Differs, 0},
		{"report under the salt of a note", string(moved.Body), string(moved.Body), judge.Unproven, 0},
		{"comment", string(said.Body), string(said.Body), judge.Kept, 1},
		{"another comment", string(said.Body), `{"content":"Lae.","author":{"id":"` + w.Text(`SELECT author_id::text FROM report_comments`) + `"}}`, judge.Differs, 0},
	} {
		var answer struct {
			Receipt json.RawMessage `json:"receipt"`
		}
		if err := json.Unmarshal([]byte(c.answer), &answer); err != nil || answer.Receipt == nil {
			t.Errorf("%s: no receipt in %s", c.name, c.answer)
			continue
		}
		receipt := string(answer.Receipt)
		if c.content == "" {
			receipt = c.answer // its own content is beside it
		}
		got := judge.Judge(judge.Material{Receipt: receipt, Proof: all, Keys: keys, Content: c.content})
		if got.Verdict != c.want || len(got.Findings) != 1+c.codes {
			t.Errorf("%s: %s %v", c.name, got.Verdict, got.Findings)
		}
	}
}

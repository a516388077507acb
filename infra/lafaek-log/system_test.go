package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// TestFollowARealLog files reports, publishes them, and runs the command on the routes of the system.
func TestFollowARealLog(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Serve(reports.Open, public.Open)
	w.Exec(`INSERT INTO log_keys (role, vkey, from_index) SELECT 'receipts', receipts_vkey, 0 FROM log_counter`)
	c := w.Citizen()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for n := range 3 {
		created := c.Post("/reports", map[string]any{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Kuak", "latitude": -8.5569 + float64(n)/100, "longitude": 125.5603}).
			Want(http.StatusCreated)
		if err := os.WriteFile(at("receipt"), created.Body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))

	follow := func(more ...string) (int, string) {
		var out, errs bytes.Buffer
		args := []string{"follow", "--once", "--state", at("state"), "--csv", at("log.csv"), "--index", at("index"), "--receipt", at("receipt")}
		args = append(args, more...)
		if len(more) == 0 {
			args = append(args, w.URL)
		}
		code := run(t.Context(), args, nil, &out, &errs)
		return code, out.String() + errs.String()
	}
	for range 2 {
		if code, said := follow(); code != exitGood || strings.Contains(said, "ALARM") {
			t.Fatalf("status %d: %s", code, said)
		}
		if table := read(t, at("log.csv")); strings.Count(table, "\n") != 4 || strings.Count(table, "REPORT_SUBMITTED,citizen") != 3 {
			t.Errorf("table: %s", table)
		}
		if got := read(t, at("index")); strings.Count(got, "\n") != 3 || !strings.Contains(got, "-000001 0\n") || !strings.HasSuffix(got, "-000003 2\n") {
			t.Errorf("index: %s", got)
		}
	}

	// A report that the site shows for longer than promised, and that is not published.
	late := c.Post("/reports", map[string]any{"client_id": uuid.NewString(), "issue_type": "bridge", "title": "Ponte", "latitude": -8.6, "longitude": 125.5603}).Want(http.StatusCreated).Object()
	if code, said := follow(); code != exitGood {
		t.Errorf("status %d while it waits: %s", code, said)
	}
	w.Exec(`UPDATE reports SET created_at = created_at - interval '2 hours' WHERE id = $1`, late.Text("id"))
	if code, said := follow(); code != exitBroken || strings.Count(said, "ALARM") != 1 || !strings.Contains(said, "ALARM omitted: "+late.Text("report_number")) {
		t.Errorf("status %d: %s", code, said)
	}
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, late.Text("id"))

	// The command judges what it was given, with the proof of the site.
	for name, path := range map[string]string{"keys": "//log/keys", "proof": "//log/proof/2"} {
		if err := os.WriteFile(at(name), w.Anonymous().Get(path).Want(http.StatusOK).Body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"verify", "--keys", at("keys"), at("receipt"), at("proof")}, nil, &out, &out); code != exitGood || !strings.HasPrefix(out.String(), "kept ") ||
		!strings.Contains(out.String(), "The content is what entry 1 vouches for.") {
		t.Errorf("status %d: %s", code, out.String())
	}

	// Another root was seen for this size: the site shows two histories.
	var state map[string]any
	lines := strings.SplitN(read(t, at("state")), "\n", 2)
	if err := json.Unmarshal([]byte(lines[0]), &state); err != nil {
		t.Fatal(err)
	}
	state["root"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	raw, err := json.Marshal(state)
	if err == nil {
		err = os.WriteFile(at("state"), []byte(string(raw)+"\n"+lines[1]), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, said := follow(); code != exitBroken || !strings.Contains(said, "ALARM fork") {
		t.Errorf("status %d: %s", code, said)
	}
	if code, said := follow("--state", at("new"), "http://127.0.0.1:1"); code != exitUnproven || !strings.Contains(said, "not read") {
		t.Errorf("status %d: %s", code, said)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

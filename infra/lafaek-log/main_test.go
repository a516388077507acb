package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
	"github.com/lafaekstreet/backend/infra/local/logtest"
)

// TestVerifyRecognisesFilesAndSaysTheVerdictFirst runs the command on the table of the judge. Cases whose text has no form
// are those of the judge alone.
func TestVerifyRecognisesFilesAndSaysTheVerdictFirst(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("judge/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Verdict string
		Material      map[string]string
		Repeat        int
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	exits := map[judge.Verdict]int{judge.Accepted: 0, judge.Kept: 0, judge.Dropped: 1, judge.Differs: 1, judge.Unproven: 3}
	ran := 0
	for _, c := range cases {
		folder := t.TempDir()
		args := []string{"verify"}
		formed := c.Repeat == 0
		for name, text := range c.Material {
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			want := map[string]judge.Form{"receipt": judge.IsReceipt, "proof": judge.IsProof, "checkpoint": judge.IsCheckpoint, "content": judge.IsContent}[name]
			if name == "keys" {
				args = append(args, "--keys", path)
			} else if text != "" {
				formed = formed && (judge.FormOf(text) == want || want == judge.IsContent && judge.FormOf(text) == judge.IsAnswer)
			}
		}
		if !formed {
			continue
		}
		ran++
		for name, text := range c.Material {
			if name != "keys" && text != "" {
				args = append(args, filepath.Join(folder, name))
			}
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), args, nil, &out, &errs)
		if code != exits[judge.Verdict(c.Verdict)] || strings.Fields(out.String() + " .")[0] != c.Verdict {
			t.Errorf("%s: status %d, %q, %q; want %s", c.Name, code, out.String(), errs.String(), c.Verdict)
		}
	}
	if ran < 80 {
		t.Errorf("%d of %d cases were recognised by their form", ran, len(cases))
	}
}

func TestCallsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(page, []byte(`{"content":"words"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"fly"}, {"verify"}, {"verify", "--keys"}, {"verify", "/nowhere"}, {"verify", page}, {"follow"}, {"follow", "nowhere"},
		{"follow", "--interval", "1ms", "http://localhost"}, {"follow", "--receipt", "/nowhere", "http://localhost"}, {"follow", "-x"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &errs); code != exitUsage || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%q: status %d, %q, %q", args, code, out.String(), errs.String())
		}
	}
	for _, args := range [][]string{{"--help"}, {"verify", "-h"}, {"follow", "--help"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "-answer-days") || errs.Len() > 0 {
			t.Errorf("%q: status %d, %q, %q", args, code, out.String(), errs.String())
		}
	}
}

// material is the material of a case of the table.
func material(t *testing.T, name string) map[string]string {
	t.Helper()
	var cases []struct {
		Name     string
		Material map[string]string
	}
	if err := json.Unmarshal([]byte(read(t, "judge/testdata/cases.json")), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Name == name {
			return c.Material
		}
	}
	t.Fatal("no case ", name)
	return nil
}

// TestVerifyTakesFilesAsTheyCome gives the command what people save: answers with a receipt in them, JSON that other programs
// wrote, error answers, pages.
func TestVerifyTakesFilesAsTheyCome(t *testing.T) {
	t.Parallel()
	m := material(t, "in the log, all that is known given")
	answer := strings.Replace(m["content"], "{", `{"receipt":`+m["receipt"]+",", 1)
	other := strings.Replace(m["content"], "Kuak", "Kua", 1)
	escaped := strings.ReplaceAll(m["receipt"], "—", `\u2014`)
	const problem = `{"type":"about:blank","title":"Not Found","status":404,"detail":"Not yet.","code":"not_published","request_id":"x"}`
	for _, c := range []struct {
		name  string
		files []string
		code  int
		says  string
	}{
		{"a dash that is escaped", []string{escaped, m["proof"], m["content"]}, exitGood, "The content is what"},
		{"a report with its receipt", []string{answer}, exitGood, "accepted"},
		{"a report with its receipt, beside the receipt", []string{m["receipt"], m["proof"], answer}, exitGood, "The content is what"},
		{"the same in another order", []string{answer, m["proof"], escaped}, exitGood, "The content is what"},
		{"a report with its receipt, beside a later report", []string{answer, m["content"]}, exitGood, "The content is what"},
		{"two reports with their receipts", []string{answer, answer}, exitGood, "The content is what"},
		{"another report with its receipt", []string{m["receipt"], strings.Replace(other, "{", `{"receipt":`+m["receipt"]+",", 1)}, exitBroken, "differs"},
		{"an error answer for a proof", []string{m["receipt"], problem}, exitUnproven, `"not_published"`},
		{"an error answer alone", []string{problem}, exitUnproven, "unproven"},
		{"a page", []string{m["receipt"], "<!doctype html>\n<p>x</p>\n<p>1</p>\n— 502 —\n"}, exitUnproven, "cannot be read"},
		{"JSON of something else", []string{m["receipt"], `{"title":"x","description":"y"}`}, exitUnproven, "cannot be read"},
		{"a list", []string{m["receipt"], `[1]`}, exitUnproven, "cannot be read"},
		{"a note with a dash", []string{m["receipt"], `{"note":"Ami ba — aban."}`}, exitUnproven, "has no hash of it"},
		{"a mail", []string{"Haree to'ok:\n> " + strings.ReplaceAll(receiptNote(t, m["receipt"]), "\n", "\n> "), m["proof"]}, exitGood, "kept"},
	} {
		folder := t.TempDir()
		args := []string{"verify", "--keys", filepath.Join(folder, "keys")}
		for i, text := range append([]string{m["keys"]}, c.files...) {
			name := "keys"
			if i > 0 {
				name = string(rune('a' + i))
				args = append(args, filepath.Join(folder, name))
			}
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: status %d, %s", c.name, code, out.String())
		}
	}
}

// receiptNote is the note in the JSON form of a receipt.
func receiptNote(t *testing.T, receipt string) string {
	t.Helper()
	var in struct{ Note string }
	if err := json.Unmarshal([]byte(receipt), &in); err != nil {
		t.Fatal(err)
	}
	return in.Note
}

// stopper ends a command when it has written its first line.
type stopper struct {
	bytes.Buffer
	stop context.CancelFunc
}

// Write implements io.Writer.
func (s *stopper) Write(p []byte) (int, error) {
	s.stop()
	return s.Buffer.Write(p)
}

// TestFollowCanBeStopped stops the command while it waits for its next round: what it saw is stored.
func TestFollowCanBeStopped(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	logtest.Grown(t, store, 3)
	vkey := logtest.NewKey(t, logtest.Origin).VKey()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/log/")
		if key == "keys" {
			_ = json.NewEncoder(w).Encode(map[string]any{"origin": logtest.Origin, "log_vkeys": []any{map[string]any{"vkey": vkey, "from": 0}}})
			return
		}
		_, _ = w.Write(store.Files()[key])
	}))
	t.Cleanup(server.Close)
	state := filepath.Join(t.TempDir(), "state")
	ctx, stop := context.WithCancel(t.Context())
	out := &stopper{stop: stop}
	code := run(ctx, []string{"follow", "--interval", "1h", "--state", state, server.URL}, nil, out, out)
	if code != exitBroken || !strings.Contains(out.String(), "3 entries, 3 new, 3 alarms") { // the entries are made up
		t.Errorf("status %d: %s", code, out.String())
	}
	if !strings.Contains(read(t, state), `"next":3`) {
		t.Errorf("state: %s", read(t, state))
	}
}

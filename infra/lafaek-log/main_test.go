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
			want := map[string]form{"receipt": isReceipt, "proof": isProof, "checkpoint": isCheckpoint, "content": isContent}[name]
			if name == "keys" {
				args = append(args, "--keys", path)
			} else if text != "" {
				formed = formed && formOf(text) == want
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
	if err := os.WriteFile(page, []byte("<html>"), 0o600); err != nil {
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

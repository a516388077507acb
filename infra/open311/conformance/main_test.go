package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/open311"
)

func TestRun(t *testing.T) {
	t.Parallel()
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/discovery.xml" {
			fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><discovery><changeset>2026-01-01</changeset></discovery>`)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(hs.Close)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-url", hs.URL + "/v2", "-pause", "0"}, &out, &errs); code != 1 {
		t.Errorf("a failed must ends with %d: %s", code, errs.String())
	}
	for _, want := range []string{"\nService Discovery\n  pass       must    discovery.xml ", "met: a document without\n", "expected: contact, key_service, endpoints\n", "why: it files reports", "\nmust "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if code := run(t.Context(), []string{"-url", hs.URL + "/v2", "-pause", "0", "-json"}, &out, &errs); code != 1 {
		t.Errorf("with -json: %d", code)
	}
	var report open311.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || len(report.Results) != len(open311.Requirements()) {
		t.Errorf("%v: %d results", err, len(report.Results))
	}
	for _, args := range [][]string{{}, {"-url", "city.example"}, {"-unknown"}, {"-url", hs.URL, "-write"}} {
		if code := run(t.Context(), args, &out, &errs); code != 2 {
			t.Errorf("%q ends with %d", args, code)
		}
	}
}

func TestRequirementsAreNamed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range open311.Requirements() {
		if r.ID == "" || r.Section == "" || r.Text == "" || r.Level == "" || seen[r.ID] {
			t.Errorf("got %+v", r)
		}
		seen[r.ID] = true
	}
}

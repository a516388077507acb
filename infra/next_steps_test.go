package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestADeployEndsWithTheNextSteps(t *testing.T) {
	t.Parallel()
	var outputs map[string]string
	for range 30 { // the order of the stacks is another one each time
		var err error
		outputs, err = readOutputs([]byte(`{"lafaekstreet-test-edge":{"URL":"https://d1.cloudfront.net"},"lafaekstreet-test-api":{"URL":"https://x.execute-api/"},
		"lafaekstreet-test-keys":{"AdminSetupSecret":"arn:setup"}}`))
		if err != nil || outputs["URL"] != "https://d1.cloudfront.net" {
			t.Fatalf("the address is %q, %v", outputs["URL"], err)
		}
	}
	const external = `"profile":"external","database_secret":"d"`
	for raw, want := range map[string][]string{
		`{` + external + `}`: {`"public_base_url": "https://d1.cloudfront.net"`, "mail_secret", `"protect": true`, "make deploy", "admin#setup", "arn:setup", "ledger's account", "The map"},
		`{` + external + `,"protect":true,"public_base_url":"https://a.b","mail_secret":"m","mail_from":"a@a.b","hedera_account":"0.0.1","hedera_topic_reports":"0.0.2"}`: {
			"admin#setup", "arn:setup", "The map", "make demo URL=https://d1.cloudfront.net"},
		`{` + external + `,"domain":"a.b","certificate":"c","mail_secret":"m","mail_from":"a@a.b"}`: {"CNAME", "WITHOUT=ledger"},
	} {
		s, err := readSettings([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(s.nextSteps(outputs), "\n")
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q is not in:\n%s", raw, w, got)
			}
		}
		if s.Protect && strings.Contains(got, "make deploy") {
			t.Errorf("a stage that is complete is deployed again:\n%s", got)
		}
	}
}

func TestASmokeTestNamesWhatFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("it writes: %s %s", r.Method, r.URL)
		}
		if r.URL.Path == "/health/ready" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	var out strings.Builder
	err := smoke(t.Context(), server.URL+"/", &out)
	if err == nil || !strings.Contains(err.Error(), "/health/ready answers 503") || strings.Count(out.String(), "ok  /") != 6 {
		t.Errorf("%v\n%s", err, out.String())
	}
	server.Close()
	if err := smoke(t.Context(), server.URL, &out); err == nil || !strings.Contains(err.Error(), "/health does not answer") {
		t.Errorf("a stage that is down: %v", err)
	}
}

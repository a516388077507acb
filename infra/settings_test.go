package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	const good = `"profile":"external","database_secret":"x"`
	for raw, want := range map[string]string{
		`{` + good + `}`: "",
		`{"profile":"managed","database_ca":"rds.pem"}`:                          "",
		`{"profile":"managed"}`:                                                  "truststore.pki.rds.amazonaws.com",
		`{"profile":"external"}`:                                                 "database_secret",
		`{"profile":"serverless"}`:                                               `profile: "serverless" is not one of managed, external`,
		`{` + good + `,"typo":1}`:                                                `unknown field "typo"`,
		`{` + good + `,"stage":"Prod"}`:                                          "stage",
		`{` + good + `,"nat":"none"}`:                                            "nat",
		`{` + good + `,"domain":"a.example"}`:                                    "certificate",
		`{` + good + `,"edge":true}`:                                             "us-east-1",
		`{` + good + `,"edge":true,"region":"us-east-1"}`:                        "",
		`{` + good + `,"edge":true,"region":"us-east-1","edge_rate":1}`:          "edge_rate",
		`{` + good + `,"hedera_account":"0.0.1"}`:                                "both or none",
		`{` + good + `,"hedera_account":"0.0.1","hedera_topic_reports":"0.0.2"}`: "",
		`{` + good + `,"hedera_topic_status":"0.0.3"}`:                           "",
		`{` + good + `,"log_lock_mode":"forever"}`:                               "log_lock_mode",
		`{` + good + `,"log_lock_days":0}`:                                       "log_lock_days",
		`{` + good + `,"log_lock_days":1.5}`:                                     "log_lock_days",
		`{` + good + `,"log_origin":"a log"}`:                                    "log_origin",
		`{` + good + `,"log_origin":"log.example.org/log"}`:                      "",
		`{` + good + `,"log_keys":[]}`:                                           "log_keys: at least one",
		`{` + good + `,"receipts_keys":["1","1"]}`:                               "repeated",
		`{` + good + `,"witnesses":["https://witness.example"]}`:                 "witnesses",
		`{` + good + `,"hedera_account":"1.2"}`:                                  "is not 0.0.N",
		`{` + good + `,"log_days":31}`:                                           "log_days",
		`{` + good + `,"token_keys":[]}`:                                         "token_keys: at least one",
		`{` + good + `,"token_keys":["1","2","3","4"]}`:                          "token_keys: at most three",
		`{` + good + `,"token_keys":["rotate"]}`:                                 `token_keys: "rotate" has six characters`,
		`{` + good + `,"mail_secret":"prod-smtp01"}`:                             `mail_secret: "prod-smtp01" ends in a hyphen and six characters`,
		`{` + good + `,"migration_secret":"db-master"}`:                          `migration_secret: "db-master" ends in a hyphen and six characters`,
		`{` + good + `,"revision":"a b"}`:                                        "revision",
		`{` + good + `,"seal_keys":["1","1"]}`:                                   "repeated",
		`{` + good + `,"budget_usd":5}`:                                          "alarm_email",
		`{` + good + `,"alarm_email":"nobody"}`:                                  "alarm_email",
		`{` + good + `,"public_base_url":"a.example"}`:                           "public_base_url",
		`{` + good + `,"web_base_url":"https://a.example/"}`:                     "web_base_url",
		`{"profile":"managed","aurora_max_acu":0.3}`:                             "aurora_min_acu",
		`{` + good + `,"migration_secret":"y"}`:                                  "",
		`{` + good + `,"migration_secret":"x"}`:                                  "migration_secret",
		`{"profile":"managed","database_ca":"rds.pem","migration_secret":"y"}`:   "migration_secret",
		`{` + good + `,"database_role":""}`:                                      "",
		`{` + good + `,"database_role":"a role"}`:                                "database_role",
		`{` + good + `,"database_statement_timeout":"20"}`:                       "database_statement_timeout",
		`{` + good + `,"memory":{"auth":64}}`:                                    "memory: auth",
		`{` + good + `,"relay_pause_minutes":60}`:                                "",
		`{` + good + `,"relay_pause_minutes":7}`:                                 "relay_pause_minutes",
		`[]`:                                                                     "cannot unmarshal",
	} {
		_, err := readSettings([]byte(raw))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", raw, err, want)
		}
	}
	if _, err := readSettings([]byte(`{"profile":"x","nat":"y","deployment":"z"}`)); err == nil || strings.Count(err.Error(), "is not one of") != 3 {
		t.Errorf("not every fault is in the error: %v", err)
	}
}

// Without these two, mail servers refuse the mails, or the mails have no links.
func TestMailsNeedASenderAndAnAddress(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]string{
		`"public_base_url":"https://a.example"`:                      "mail_from",
		`"mail_from":"a@a.example"`:                                  "public_base_url",
		`"mail_from":"a@a.example","domain":"a.b","certificate":"c"`: "",
		`"mail_from":"a@a.b","public_base_url":"https://b.example"`:  "",
	} {
		_, err := readSettings([]byte(`{"profile":"external","database_secret":"x","mail_secret":"m",` + more + `}`))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want+": ")) {
			t.Errorf("%s: %v, want %q", more, err, want)
		}
	}
}

func TestSettingsOfTheRepository(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../cdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Context map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if _, err := readSettings(file.Context[contextKey]); err != nil {
		t.Error(err)
	}
	if strings.Contains(string(raw), "password") {
		t.Error("cdk.json holds a secret")
	}
}

func TestPublicBaseURLIsTheDomainUnlessSet(t *testing.T) {
	t.Parallel()
	const good = `"profile":"external","database_secret":"x"`
	for raw, want := range map[string]string{
		`{` + good + `}`: "",
		`{` + good + `,"domain":"a.example","certificate":"c"}`:                                          "https://a.example",
		`{` + good + `,"domain":"a.example","certificate":"c","public_base_url":"https://b.example/ls"}`: "https://b.example/ls",
	} {
		s, err := readSettings([]byte(raw))
		if err != nil || s.PublicBaseURL != want {
			t.Errorf("%s: %q, %v, want %q", raw, s.PublicBaseURL, err, want)
		}
	}
}

package operate_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/geocode/importboundaries"
	"github.com/lafaekstreet/backend/functions/migrate/operate"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
)

// sql runs one statement and returns the status and the output.
func sql(t *testing.T, env config.Env, statement string) (int, string) {
	t.Helper()
	a := operate.Run(t.Context(), env, operate.Request{Command: "sql", SQL: statement})
	return a.Status, a.Output
}

func TestSQLReadsAndCannotWrite(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Agency("roads")
	env := w.OwnerEnv()
	const read = `SELECT code, NULL AS nothing, count(*) OVER (), current_user FROM agencies WHERE code = 'roads'`
	if status, out := sql(t, env, read); status != 0 || out != "code\tnothing\tcount\tcurrent_user\nroads\tNULL\t1\tlafaek_app\n" {
		t.Errorf("%d %q", status, out)
	}
	for statement, want := range map[string]string{
		`DELETE FROM agencies`:                                    "25006", // read-only transaction
		`SELECT 1; DELETE FROM agencies`:                          "42601", // several statements
		`SELECT set_config('transaction_read_only', 'off', true)`: "25001",
		`SELECT halt_log()`:                                       "25006",
		`SELECT nonsense`:                                         "42703",
		`  `:                                                      "empty",
	} {
		if status, out := sql(t, env, statement); status != 2 || !strings.Contains(out, want) {
			t.Errorf("%s: %d %q, want %s", statement, status, out, want)
		}
	}
	if w.Int(`SELECT count(*) FROM agencies WHERE code = 'roads'`) != 1 {
		t.Error("a row is gone")
	}
	if _, out := sql(t, env, `SELECT repeat('x', 1000) FROM generate_series(1, 10000)`); len(out) > 4<<20 || !strings.HasSuffix(out, "(more was left out)\n") {
		t.Errorf("an answer of %d bytes", len(out))
	}
}

func TestFsckAndEpoch(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	env := w.OwnerEnv()
	if a := operate.Run(t.Context(), env, operate.Request{Command: "fsck"}); a.Status != 1 || !strings.Contains(a.Output, "receipts") {
		t.Errorf("fsck of a key that no event names: %+v", a)
	}
	w.Exec(`UPDATE log_counter SET receipts_vkey = NULL`)
	delete(env, "RECEIPTS_KEY")
	if a := operate.Run(t.Context(), env, operate.Request{Command: "fsck"}); a.Status != 0 || a.Output == "" {
		t.Errorf("fsck of an empty log: %+v", a)
	}
	if a := operate.Run(t.Context(), env, operate.Request{Command: "new-epoch"}); a.Status != 0 || w.Int(`SELECT count(*) FROM app_settings WHERE key = 'change_epoch'`) != 1 {
		t.Errorf("new-epoch: %+v", a)
	}
	if a := operate.Run(t.Context(), env, operate.Request{Command: "drop"}); a.Status != 2 || !strings.Contains(a.Output, "no command") {
		t.Errorf("an unknown command: %+v", a)
	}
}

const points = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Fatuhada"},"geometry":{"type":"Point","coordinates":[125.55,-8.56]}}]}`

// The command of an operator's machine calls the function of the stage by AWS's protocol, and the file of an import goes to S3.
func TestCommandsReachTheFunctionOfTheStage(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	env := w.OwnerEnv()
	var called []string
	aws := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		called = append(called, r.URL.Path)
		var raw json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			t.Error(err)
		}
		answer, err := operate.Handle(r.Context(), env, raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if err := json.NewEncoder(rw).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(aws.Close)
	call, err := operate.Deployed(t.Context(), env.With("AWS_ENDPOINT_URL_LAMBDA", aws.URL), "staging")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "names.geojson")
	if err := os.WriteFile(path, []byte(points), 0o600); err != nil {
		t.Fatal(err)
	}
	r := operate.Request{Command: "import", Options: importboundaries.Options{Level: "locality", Name: "name"}}
	a, err := operate.Import(t.Context(), call, path, r)
	if err != nil || a.Status != 0 || a.Output != "1 places of level locality\n" || w.Int(`SELECT count(*) FROM place_names`) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	const function = "/2015-03-31/functions/lafaekstreet-staging-migrate/invocations"
	if len(called) != 2 || called[0] != function || called[1] != function {
		t.Errorf("called %v", called)
	}
	if a := operate.Run(t.Context(), env, operate.Request{Command: "import", Key: "originals/x"}); a.Status != 2 || !strings.Contains(a.Output, "begins with") {
		t.Errorf("a file of somebody else: %+v", a)
	}
	if _, err := operate.Handle(t.Context(), env, json.RawMessage(`{"RequestType":"Update"}`)); err == nil {
		t.Error("an event of CloudFormation is taken for a command")
	}
}

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/infra/binary"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// written is what one synthesis wrote.
type written struct {
	*assembly.Assembly
	settings settings
	routes   []route
	files    map[string][]byte // by name
}

// profiles are the two ways to deploy, each as small and as large as it gets.
var profiles = map[string]string{
	"external": `{"stage":"test","profile":"external","database_secret":"test/database","deployment":"all-at-once"}`,
	"managed": `{"stage":"test","profile":"managed","database_ca":"rds.pem","region":"us-east-1","edge":true,"nat":"instance","deployment":"canary","domain":"api.example.org",
		"certificate":"arn:aws:acm:us-east-1:000000000000:certificate/1","hosted_zone":"Z1","alarm_email":"ops@example.org","budget_usd":50,
		"hedera_account":"0.0.1001","hedera_topic_reports":"0.0.1002","hedera_topic_status":"0.0.1003",
		"mail_from":"a@example.org","mail_secret":"test/smtp","push_secret":"test/fcm","token_keys":["1","2"],"seal_keys":["2","1"]}`,
}

// synthesized writes both profiles once a process: CDK's start is what costs.
var synthesized = sync.OnceValues(func() (map[string]*written, error) {
	out := make(map[string]*written)
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		w, err := synthesize(profiles[name], declared())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = w
	}
	return out, nil
})

// each runs a check on both profiles.
func each(t *testing.T, check func(t *testing.T, w *written)) {
	t.Helper()
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) { check(t, all[name]) })
	}
}

// CDK talks to one process: syntheses take turns.
var synthesis sync.Mutex

func synthesize(raw string, functions []binary.Function) (*written, error) {
	synthesis.Lock()
	defer synthesis.Unlock()
	if err := os.Setenv("CDK_VALIDATION", "false"); err != nil { // `make synth` validates; here it would take most of the time
		return nil, err
	}
	s, err := readSettings([]byte(raw))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "synth")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	in, err := testInputs(dir, functions)
	if err != nil {
		return nil, err
	}
	app, err := newApp(s, in, filepath.Join(dir, "out"))
	if err != nil {
		return nil, err
	}
	app.Synth(nil)
	return readWritten(s, in, filepath.Join(dir, "out"))
}

// testInputs are those of the repository, with a file of a few bytes in place of each binary.
func testInputs(dir string, functions []binary.Function) (inputs, error) {
	in := inputs{schema: "0000", asset: func(name string) string { return filepath.Join(dir, "dist", name) }, functions: functions}
	for _, f := range in.functions {
		if err := os.MkdirAll(in.asset(f.Name), 0o755); err != nil {
			return in, err
		}
		if err := os.WriteFile(filepath.Join(in.asset(f.Name), "bootstrap"), []byte(f.Name), 0o755); err != nil {
			return in, err
		}
	}
	root, err := binary.Root()
	if err != nil {
		return in, err
	}
	in.routes, err = readRoutes(filepath.Join(root, "functions", "meta", "openapi.json"))
	return in, err
}

// declared are the functions the jobs speak of.
func declared() []binary.Function {
	var out []binary.Function
	for _, j := range jobs() {
		kind := binary.HTTP
		switch {
		case j.batch > 0:
			kind = binary.Queue
		case j.every != "":
			kind = binary.Schedule
		case j.name == "keys" || j.name == "migrate" || j.name == "verify":
			kind = binary.Resource
		}
		out = append(out, binary.Function{Name: j.name, Kind: kind})
	}
	slices.SortFunc(out, func(a, b binary.Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func readWritten(s settings, in inputs, dir string) (*written, error) {
	a, err := assembly.Read(dir)
	if err != nil {
		return nil, err
	}
	w := &written{Assembly: a, settings: s, routes: in.routes, files: make(map[string][]byte)}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if w.files[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return w, nil
}

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

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/shared/catalog"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// written is what one synthesis has written.
type written struct {
	*assembly.Assembly
	settings settings
	files    map[string][]byte // by name
}

// profiles are the two ways to deploy, each as small and as large as it gets, as after the first success: protected.
var profiles = map[string]string{
	"external": `{"stage":"test","protect":true,"profile":"external","database_secret":"test/database","deployment":"all-at-once"}`,
	"managed": `{"stage":"test","protect":true,"profile":"managed","database_ca":"rds.pem","region":"us-east-1","edge":true,"nat":"instance","deployment":"canary","domain":"api.example.org",
		"certificate":"arn:aws:acm:us-east-1:000000000000:certificate/1","hosted_zone":"Z1","alarm_email":"ops@example.org","budget_usd":50,
		"hedera_account":"0.0.1001","hedera_topic_reports":"0.0.1002","hedera_topic_status":"0.0.1003",
		"mail_from":"a@example.org","mail_secret":"test/smtp","push_secret":"test/fcm","token_keys":["1","2"],"seal_keys":["2","1"],
		"log_keys":["2","1"],"receipts_keys":["2","1"],"log_lock_mode":"compliance","log_lock_days":365,"witnesses":["witness.example/w1+f5f1ad4c+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH=https://witness.example"]}`,
}

// synthesized writes both profiles once for all tests of the process: the start of CDK is slow.
var synthesized = sync.OnceValues(func() (map[string]*written, error) {
	out := make(map[string]*written)
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		w, err := synthesize(profiles[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = w
	}
	return out, nil
})

// unprotected writes both profiles as at their first deploy, managed with the zones and the image that an operator has chosen.
var unprotected = sync.OnceValues(func() (map[string]*written, error) {
	out := make(map[string]*written)
	for name, more := range map[string]string{"external": "", "managed": `"zones":["us-east-1c","us-east-1d"],"nat_image":"ami-0123456789abcdef0",`} {
		w, err := synthesize(strings.Replace(profiles[name], `"protect":true,`, more, 1))
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

// synthesis has one synthesis run at a time: CDK works with one process in Node.js.
var synthesis sync.Mutex

// schemaAlone checks templates by their schema. `make synth` checks the rules of CDK too; here that would take most of the time.
// All syntheses share it: each further one takes the process in Node.js hundreds of megabytes, and once kept it busy for minutes.
var schemaAlone = sync.OnceValue(func() awscdk.CloudFormationValidatePlugin {
	return awscdk.NewCloudFormationValidatePlugin(&awscdk.CloudFormationValidatePluginProps{IncludeDefaultRules: jsii.Bool(false)})
})

// synthesize writes the templates for settings. prepare changes the app before.
func synthesize(raw string, prepare ...func(awscdk.App)) (*written, error) {
	synthesis.Lock()
	defer synthesis.Unlock()
	s, err := readSettings([]byte(raw))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "synth")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	in, err := testInputs(dir)
	if err != nil {
		return nil, err
	}
	app, err := newApp(s, in, filepath.Join(dir, "out"))
	if err != nil {
		return nil, err
	}
	awscdk.Validations_Of(app).AddPlugins(schemaAlone())
	for _, change := range prepare {
		change(app)
	}
	app.Synth(nil)
	return readWritten(s, filepath.Join(dir, "out"))
}

// testInputs are the inputs of the repository, with a file of a few bytes in place of each binary.
func testInputs(dir string) (inputs, error) {
	in := inputs{schema: "0000", asset: func(name string) string { return filepath.Join(dir, "dist", name) }}
	for _, f := range catalog.Functions() {
		name := string(f.Name)
		if err := os.MkdirAll(in.asset(name), 0o755); err != nil {
			return in, err
		}
		if err := os.WriteFile(filepath.Join(in.asset(name), "bootstrap"), []byte(name), 0o755); err != nil {
			return in, err
		}
	}
	return in, nil
}

func readWritten(s settings, dir string) (*written, error) {
	a, err := assembly.Read(dir)
	if err != nil {
		return nil, err
	}
	w := &written{Assembly: a, settings: s, files: make(map[string][]byte)}
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if !slices.Contains([]string{".json", ".csv"}, filepath.Ext(file)) {
			continue // folders with binaries
		}
		if w.files[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return w, nil
}

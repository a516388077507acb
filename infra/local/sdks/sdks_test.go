package sdks

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// result is what each program prints.
type result struct {
	Number string `json:"number"`
	Status string `json:"status"`
	Listed bool   `json:"listed"`
	Code   string `json:"code"`
}

// generator is a generator of other people, its compiler, and the program that uses what it makes.
type generator struct {
	name, folder string
	generate     []string
	compile      []string // empty for what the next one compiles too
	program      []string
}

// generators run in this order, one at a time. The folders are below this one.
func generators() []generator {
	return []generator{
		{"openapi-typescript", ".", []string{"npx", "--no-install", "openapi-typescript", "out/openapi.json", "-o", "out/openapi-typescript/schema.d.ts"},
			nil, []string{"node", "out/js/typescript/openapi-typescript.js"}},
		{"hey-api", ".", []string{"npx", "--no-install", "openapi-ts", "-i", "./out/openapi.json", "-o", "out/hey-api", "-c", "@hey-api/client-fetch", "--no-log-file"},
			nil, []string{"node", "out/js/typescript/hey-api.js"}},
		{"orval", ".", []string{"npx", "--no-install", "orval", "--config", "orval.config.cjs"},
			[]string{"npx", "--no-install", "tsc", "-p", "typescript/tsconfig.json"}, []string{"node", "out/js/typescript/orval.js"}},
		{"oapi-codegen", "golang", []string{"go", "tool", "oapi-codegen", "-generate", "types,client", "-package", "oapi", "-o", "out/oapi/oapi.go", "../out/openapi-3.0.json"},
			[]string{"go", "vet", "./oapi"}, []string{"go", "run", "./oapi"}},
		{"ogen", "golang", []string{"go", "tool", "ogen", "-target", "out/ogen", "-package", "ogen", "-clean", "-config", "ogen.yml", "-loglevel", "error", "../out/openapi-3.0.json"},
			[]string{"go", "vet", "./ogen"}, []string{"go", "run", "./ogen"}},
	}
}

func TestSDKs(t *testing.T) {
	requireMake(t)
	base := startSystem(t)
	save(t, base+"/openapi.json", "out/openapi.json")
	save(t, base+"/openapi-3.0.json", "out/openapi-3.0.json")
	if err := os.MkdirAll("golang/out/oapi", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, g := range generators() {
		command(t, g.folder, nil, g.generate...)
		if len(g.compile) > 0 {
			command(t, g.folder, nil, g.compile...)
		}
	}
	for _, g := range generators() {
		t.Run(g.name, func(t *testing.T) { roundTrip(t, base, g) })
	}
}

// roundTrip runs the program of a generator for an address of its own, and checks what it prints.
func roundTrip(t *testing.T, base string, g generator) {
	t.Helper()
	email := g.name + "@example.tl"
	apiclient.NewTester(t, base).Post("/auth/email-code", map[string]any{"email": email}).Want(http.StatusOK)
	out := command(t, g.folder, []string{"API=" + base, "EMAIL=" + email, "CODE=" + mailedCode(t, base, email), "CLIENT_ID=" + uuid.NewString()}, g.program...)
	var got result
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !regexp.MustCompile(`^LS-\d{4}-\d{6}$`).MatchString(got.Number) || got.Status == "" || !got.Listed || got.Code != "report_not_found" {
		t.Errorf("%s got %+v", g.name, got)
	}
}

// save writes a document of the system to a file.
func save(t *testing.T, address, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, body(t, address), 0o600); err != nil {
		t.Fatal(err)
	}
}

package sdks

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
)

// requireMake skips a test that needs what `make sdks` installs.
func requireMake(t *testing.T) {
	t.Helper()
	if os.Getenv("SDKS") == "" {
		t.Skip("`make sdks` runs this test")
	}
}

// startSystem runs a whole system for the test and returns its address.
func startSystem(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	// An account without the right to install packages uses the PostgreSQL that was unpacked once for all tests.
	tools, err := filepath.Abs("../../../.run/pg")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tools, filepath.Join(dir, "pg")); err != nil {
		t.Fatal(err)
	}
	env := config.Env{"PORT": "0", "PATH": os.Getenv("PATH")}
	s, err := system.Start(t.Context(), system.Options{Dir: dir, Env: env, Out: t.Output(), Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s.URL()
}

// command runs a command in a folder with further settings, and returns what it prints.
func command(t *testing.T, folder string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%.4000s\n%.4000s", strings.Join(args, " "), err, out, errs.Bytes())
	}
	return out
}

// mailedCode waits for the mail with the code to sign in, in the console of the local system.
func mailedCode(t *testing.T, base, address string) string {
	t.Helper()
	deadline := time.After(4 * time.Minute)
	for {
		var mails []struct{ Text string }
		if err := json.Unmarshal(body(t, base+"/_local/mail?to="+url.QueryEscape(address)), &mails); err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			if code := regexp.MustCompile(`\b\d{6}\b`).FindString(m.Text); code != "" {
				return code
			}
		}
		select {
		case <-deadline:
			t.Fatalf("no mail to %s", address)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// body is the answer of a GET, which must succeed.
func body(t *testing.T, address string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d, %v", address, response.StatusCode, err)
	}
	return raw
}

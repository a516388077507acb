package system_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
)

// options are for a system of the test's own, on free ports.
func options(t *testing.T, dir string) system.Options {
	t.Helper()
	// Where only root can install, PostgreSQL was unpacked once for all tests.
	if tools, err := filepath.Abs("../../../.run/pg"); err == nil {
		if err := os.Symlink(tools, filepath.Join(dir, "pg")); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	return system.Options{Dir: dir, Env: config.Env{"PORT": "0", "PATH": os.Getenv("PATH")}, Out: t.Output(), Log: io.Discard}
}

func start(t *testing.T, options system.Options) *system.System {
	t.Helper()
	s, err := system.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func send(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestKeepsEverythingOverRestart(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	first := start(t, o)
	const person = `{"email":"ana@example.tl","password":"a long enough secret","full_name":"Ana"}`
	if status, body := send(t, "POST", first.URL()+"/api/v1/auth/register", person); status != http.StatusCreated {
		t.Fatalf("register: %d %s", status, body)
	}
	settings, err := os.ReadFile(filepath.Join(o.Dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{"AI_MODEL='local-stand-in'", "AI_EMBEDDING_MODEL='local-stand-in'", "HEDERA_NETWORK='local'"} {
		if !strings.Contains(string(settings), plain+"\n") {
			t.Errorf("answers would not name the stand-in: the settings have no %s", plain)
		}
	}
	if !strings.Contains(string(settings), "WEBHOOK_PRIVATE_ADDRESSES='true'\n") {
		t.Error("receivers of webhooks on this machine would be refused")
	}
	mailed := waitForMail(t, first)
	signedInAsThemselves(t, string(settings))
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	forget(t, filepath.Join(o.Dir, "secrets.json"), "RECEIPTS_KEY") // a directory of an earlier version has none
	second := start(t, o)
	if settings, err = os.ReadFile(filepath.Join(o.Dir, "env")); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{"RECEIPTS_KEY", "LOG_ORIGIN", "LOG_BUCKET", "LOG_KMS_KEY_ID"} {
		if !strings.Contains(string(settings), made+"='") {
			t.Errorf("a directory of an earlier version gets no %s", made)
		}
	}
	// The password is correct and the address is not verified: the account was kept.
	if status, body := send(t, "POST", second.URL()+"/api/v1/auth/login", person); status != http.StatusForbidden || !strings.Contains(body, "email_not_verified") {
		t.Errorf("login after restart: %d %s", status, body)
	}
	if kept := mails(t, second); !slices.Contains(kept, mailed) {
		t.Errorf("mails %v after the restart, %q before", kept, mailed)
	}
}

// forget removes a member from a file of JSON.
func forget(t *testing.T, path, member string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	if err := json.Unmarshal(raw, &all); err != nil || all[member] == "" {
		t.Fatalf("%s has no %s: %v", path, member, err)
	}
	delete(all, member)
	if raw, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// waitForMail returns the id of the first mail. Its message went from the outbox through the queue to the mail server.
func waitForMail(t *testing.T, s *system.System) string {
	t.Helper()
	for t.Context().Err() == nil {
		if all := mails(t, s); len(all) > 0 {
			return all[0]
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("no mail came")
	return ""
}

func mails(t *testing.T, s *system.System) []string {
	t.Helper()
	status, body := send(t, "GET", s.URL()+"/_local/mail?to=ana@example.tl", "")
	var all []struct{ ID string }
	if err := json.Unmarshal([]byte(body), &all); err != nil || status != http.StatusOK {
		t.Fatalf("console: %d %s", status, body)
	}
	var list []string
	for _, mail := range all {
		list = append(list, mail.ID)
	}
	return list
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		env  config.Env
		says []string
	}{
		"port taken":           {config.Env{"PORT": port}, []string{"port " + port + " is taken", "PORT="}},
		"port is no number":    {config.Env{"PORT": "http"}, []string{`PORT is "http"`}},
		"database unreachable": {config.Env{"DATABASE_URL": "postgres://127.0.0.1:1/x?connect_timeout=1"}, []string{"DATABASE_URL", "postgis"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.env["PORT"] == "" {
				test.env["PORT"] = "0"
			}
			s, err := system.Start(t.Context(), system.Options{Dir: t.TempDir(), Env: test.env, Out: io.Discard, Log: io.Discard})
			if err == nil {
				_ = s.Stop()
				t.Fatal("the system started")
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestDirectoryIsLocked(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	start(t, o)
	if s, err := system.Start(t.Context(), o); err == nil {
		_ = s.Stop()
		t.Error("a second system started in the same directory")
	} else if !strings.Contains(err.Error(), "already runs") {
		t.Errorf("error %q does not say that the system already runs", err)
	}
}

// signedInAsThemselves checks that no function is signed in to the database as the owner, and that some are as themselves.
func signedInAsThemselves(t *testing.T, settings string) {
	t.Helper()
	address := regexp.MustCompile(`(?m)^DATABASE_URL='(.*)'$`).FindStringSubmatch(settings)
	if address == nil {
		t.Fatal("the settings have no DATABASE_URL")
	}
	conn, err := pgx.Connect(t.Context(), address[1])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const q = `SELECT coalesce(bool_or(usename = 'lafaek_auth'), false), string_agg(DISTINCT usename::text, ',') FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'lafaekstreet'`
	var auth bool
	var logins string
	if err := conn.QueryRow(t.Context(), q).Scan(&auth, &logins); err != nil || !auth || strings.Contains(logins, "postgres") {
		t.Errorf("signed in are %s, %v", logins, err)
	}
}

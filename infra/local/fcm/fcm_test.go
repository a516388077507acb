package fcm_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2/google"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/fcm"
)

const messaging = "https://www.googleapis.com/auth/firebase.messaging"

func start(t *testing.T, opts fcm.Options) *fcm.Server {
	t.Helper()
	s, err := fcm.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// client authenticates as Google's own library does.
func client(t *testing.T, s *fcm.Server, scope string) *http.Client {
	t.Helper()
	config, err := google.JWTConfigFromJSON(s.ServiceAccount(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return config.Client(context.Background())
}

func send(t *testing.T, c *http.Client, url, message string) (int, string, error) {
	t.Helper()
	return sendWithin(t, time.Minute, c, url, message)
}

func sendWithin(t *testing.T, timeout time.Duration, c *http.Client, url, message string) (int, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), err
}

func TestSendAnswersAsFCM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, fcm.Options{Dir: dir})
	c, url := client(t, s, messaging), s.URL()+"/v1/projects/"+fcm.DefaultProject+"/messages:send"
	big, _ := json.Marshal(strings.Repeat("x", 5000))
	cases := []struct {
		name, url, message string
		status             int
		says               string
	}{
		{"delivered", url, `{"message":{"token":"phone-1","notification":{"title":"T","body":"B"},"data":{"report_id":"r1"}}}`, 200, "projects/lafaekstreet-local/messages/"},
		{"only validated", url, `{"validate_only":true,"message":{"token":"phone-1"}}`, 200, "messages/"},
		{"unregistered", url, `{"message":{"token":"dead-1"}}`, 404, `"errorCode":"UNREGISTERED"`},
		{"not a token", url, `{"message":{"token":"invalid-1"}}`, 400, `"errorCode":"INVALID_ARGUMENT"`},
		{"token of another sender", url, `{"message":{"token":"mismatch-1"}}`, 403, `"errorCode":"SENDER_ID_MISMATCH"`},
		{"no token", url, `{"message":{}}`, 400, "INVALID_ARGUMENT"},
		{"number in data", url, `{"message":{"token":"p","data":{"n":1}}}`, 400, "message.data"},
		{"reserved key", url, `{"message":{"token":"p","data":{"from":"x"}}}`, 400, "message.data"},
		{"too big", url, `{"message":{"token":"p","data":{"k":` + string(big) + `}}}`, 400, "too big"},
		{"other project", s.URL() + "/v1/projects/else/messages:send", `{"message":{"token":"p"}}`, 403, "PERMISSION_DENIED"},
	}
	for _, k := range cases {
		if status, body, err := send(t, c, k.url, k.message); err != nil || status != k.status || !strings.Contains(body, k.says) {
			t.Errorf("%s: %d %s %v, want %d %s", k.name, status, body, err, k.status, k.says)
		}
	}
	if got := s.Pushes("phone-1"); len(got) != 1 || got[0].Title != "T" || got[0].Data["report_id"] != "r1" {
		t.Errorf("pushes %+v", got)
	}
	if status, _, _ := send(t, http.DefaultClient, url, `{"message":{"token":"p"}}`); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	s.RevokeTokens()
	if status, body, _ := send(t, c, url, `{"message":{"token":"p"}}`); status != 401 || !strings.Contains(body, "UNAUTHENTICATED") {
		t.Errorf("with a revoked token: %d %s", status, body)
	}
	account := string(s.ServiceAccount())
	if raw, err := os.ReadFile(s.ServiceAccountFile()); err != nil || string(raw) != account {
		t.Errorf("service account file: %v", err)
	}
	_ = s.Close()
	again := start(t, fcm.Options{Dir: dir})
	if got := again.Pushes(""); len(got) != 1 {
		t.Errorf("after a restart: %v", got)
	}
	key := func(account string) string { return strings.Split(strings.Split(account, "private_key\"")[1], ",")[0] }
	if key(account) != key(string(again.ServiceAccount())) {
		t.Error("the key changed over the restart")
	}
}

func TestAccessTokenNeedsScopeAndAccount(t *testing.T) {
	t.Parallel()
	s := start(t, fcm.Options{})
	_, _, err := send(t, client(t, s, "email"), s.URL()+"/v1/projects/x/messages:send", `{}`)
	if err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a token for another scope: %v", err)
	}
	forged := strings.Replace(string(s.ServiceAccount()), "stand-in@", "else@", 1)
	config, err := google.JWTConfigFromJSON([]byte(forged), messaging)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.TokenSource(context.Background()).Token(); err == nil {
		t.Error("another account got an access token")
	}
}

func TestFaultsFailOneSend(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mode   faults.Mode
		status int
		says   string
		pushes int
	}{
		{faults.Error, 503, "UNAVAILABLE", 0},
		{faults.Throttle, 429, "QUOTA_EXCEEDED", 0},
		{faults.Malformed, 200, `{"name": [`, 0},
		{faults.Timeout, 0, "", 0},
		{faults.DropReply, 0, "", 1},
	}
	for _, k := range cases {
		t.Run(string(k.mode), func(t *testing.T) {
			t.Parallel()
			set := faults.NewSet()
			if err := set.Add(faults.Fault{Service: "fcm", Operation: "Send", Mode: k.mode}); err != nil {
				t.Fatal(err)
			}
			s := start(t, fcm.Options{Faults: set})
			timeout := time.Minute
			if k.mode == faults.Timeout {
				timeout = 300 * time.Millisecond
			}
			status, body, err := sendWithin(t, timeout, client(t, s, messaging), s.URL()+"/v1/projects/"+fcm.DefaultProject+"/messages:send", `{"message":{"token":"p"}}`)
			if status != k.status || !strings.Contains(body, k.says) || (err != nil) != (k.status == 0) {
				t.Errorf("%d %s %v", status, body, err)
			}
			if got := len(s.Pushes("")); got != k.pushes {
				t.Errorf("%d pushes, want %d", got, k.pushes)
			}
		})
	}
}

package notify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/oauth2"

	"github.com/lafaekstreet/backend/infra/local/queuetest"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

// FuzzNotifyMessage: only a message that names a notification, or has a mail in it that this system sealed, is worked on.
func FuzzNotifyMessage(f *testing.F) {
	queuetest.Seeds(f, "notification_id")
	sealer, err := seal.New(seal.Config{Keys: []string{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}})
	if err != nil {
		f.Fatal(err)
	}
	w := &Worker{db: queuetest.Nowhere(f), sealer: sealer, log: slog.New(slog.DiscardHandler)}
	queuetest.Fuzz(f, queue.Notify, w.handleMessage, func(body string) bool {
		var in queue.NotifyMessage
		return json.Unmarshal([]byte(body), &in) == nil && in.NotificationID != nil
	})
}

// answers everything with the same bytes.
type answers struct {
	status int
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}

// FuzzFCM: only status 200 is a delivered push. A token is removed only when Google
// says that it is invalid, and no other text of Google is kept.
func FuzzFCM(f *testing.F) {
	const detail = `"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":`
	for _, body := range []string{`{"name":"projects/p/messages/1"}`, `{"error":{"code":404,"details":[{` + detail + `"UNREGISTERED"}]}}`,
		`{"error":{"details":[{` + detail + `"INVALID_ARGUMENT"},{}]}}`, `{"error":{"details":null}}`, `{"error":{"details":[{` + detail + `"INVALID_ARGUMENT"},{"fieldViolations":[{"field":"message.token"},{}]}]}}`, `{"error":"quota of token-1"}`, `[]`, ``, `<html>`,
		`{"error":{"details":[{"errorCode":{}}]}}`, strings.Repeat("[", 20000)} {
		for _, status := range []int{200, 301, 400, 401, 404, 429, 503} {
			f.Add(status, []byte(body))
		}
	}
	code := regexp.MustCompile(`^(fcm [1-5][0-9]{2}|UNREGISTERED|INVALID_ARGUMENT)$`)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		c := &FCM{url: "http://fcm/v1/projects/p/messages:send", client: &http.Client{Transport: answers{status, body}}, timeout: time.Minute,
			slots: make(chan struct{}, 1), source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})}
		if status == http.StatusUnauthorized {
			c.source = nil
			if got := fcmFailure(status, body); got.Kind != Delayed && got.Kind != Gone {
				t.Errorf("%+v", got)
			}
			return // what follows asks for another token
		}
		asked := 0
		err := c.Push(t.Context(), Push{Token: "token-1", Title: "t", Body: "b"}, func(context.Context) error { asked++; return nil })
		if asked != 1 {
			t.Errorf("handed over %d times", asked)
		}
		if status == http.StatusOK || err == nil {
			if status != http.StatusOK || err != nil {
				t.Errorf("status %d: %v", status, err)
			}
			return
		}
		var failure *Failure
		if !errors.As(err, &failure) || !code.MatchString(failure.Code) || failure.Kind == Unknown {
			t.Fatalf("status %d: %v", status, err)
		}
		if failure.Kind == Gone && !bytes.Contains(body, []byte(failure.Code)) && !bytes.Contains(body, []byte(`\u`)) {
			t.Errorf("status %d, %q: %v", status, body, err)
		}
	})
}

// A message that FCM cannot read is our fault and says nothing about the token.
func TestOnlyAnInvalidTokenRemovesAPhone(t *testing.T) {
	t.Parallel()
	const detail = `{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}`
	violation := func(field string) string {
		return `,{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"` + field + `","description":"Invalid value"}]}`
	}
	for _, c := range []struct {
		name, more string
		want       FailureKind
	}{
		{"the token is malformed", "", Gone},
		{"the token is malformed, by name", violation("message.token"), Gone},
		{"the message is malformed", violation("message.data[0].value"), Refused},
		{"both are", violation("message.android.ttl") + violation("message.token"), Gone},
	} {
		reply := `{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[` + detail + c.more + `]}}`
		if got := fcmFailure(http.StatusBadRequest, []byte(reply)); got.Kind != c.want {
			t.Errorf("%s: %v, want kind %d", c.name, got, c.want)
		}
	}
}

// FuzzSMTP: a mail is sent only when the server has accepted its end. Its outcome is
// unknown only after it was handed over, and a mailbox is gone only when the server says so before that. No text of the server is kept, because it
// may name the recipient.
func FuzzSMTP(f *testing.F) {
	for _, seed := range []string{
		"220 hi\r\n250-hi\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n",
		"220 hi\r\n250 hi\r\n250 ok\r\n550 no such ana@example.tl\r\n", "220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n451 later, ana@example.tl\r\n",
		"220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n", "554 no\r\n", "220-\r\n220 \r\n999 \r\n", "", "\xff\x00", "220 hi\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 SMTPUTF8\r\n",
	} {
		f.Add([]byte(seed))
	}
	code := regexp.MustCompile(`^(smtp [1-9][0-9]{2}|connection|connection lost)$`)
	f.Fuzz(func(t *testing.T, said []byte) {
		s, err := NewSMTP(MailConfig{URL: "smtp://127.0.0.1:25", From: "LafaekStreet <no-reply@example.tl>", Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		s.options = append(s.options, gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return replying(said), nil }))
		handed := false
		err = s.Send(t.Context(), Mail{To: "ana@example.tl", Subject: "s", Text: "t", Key: "k", Language: locale.Tetum}, func(context.Context) error { handed = true; return nil })
		if err == nil {
			if !handed || !bytes.Contains(said, []byte("250")) {
				t.Errorf("sent, handed over %v: %q", handed, said)
			}
			return
		}
		var failure *Failure
		if !errors.As(err, &failure) || !code.MatchString(failure.Code) {
			t.Fatalf("%q: %v", said, err)
		}
		if refused := strings.TrimPrefix(failure.Code, "smtp "); failure.Kind == Gone && (handed || !bytes.Contains(said, []byte(refused))) {
			t.Errorf("%q: nobody said that the mailbox is gone: %v", said, err)
		}
		if failure.Kind == Unknown && !handed {
			t.Errorf("%q: in doubt, and never handed over", said)
		}
	})
}

// replying is a connection to a server that sends the same bytes to every client and closes the connection.
func replying(said []byte) net.Conn {
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(theirs)) }() // until the client hangs up
	go func() {
		_, _ = theirs.Write(said)
		_ = theirs.Close()
	}()
	return ours
}

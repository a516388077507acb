package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

// PushConfig is how push messages leave.
type PushConfig struct {
	// Endpoint is Firebase Cloud Messaging's.
	Endpoint string `env:"FCM_ENDPOINT" envDefault:"https://fcm.googleapis.com"`
	// ServiceAccount is the JSON of the account that may send; empty sends no push messages.
	ServiceAccount string `env:"FCM_SERVICE_ACCOUNT"`
	// Timeout bounds one message.
	Timeout time.Duration `env:"FCM_TIMEOUT" envDefault:"10s"`
}

// Push is one message to one device.
type Push struct {
	Token, Title, Body string
	Data               map[string]string
}

// FCM sends by Firebase Cloud Messaging, HTTP v1. That API takes one message a
// request; what makes many cheap is one connection and one access token for all.
type FCM struct {
	url     string
	client  *http.Client
	account *jwt.Config
	timeout time.Duration
	slots   chan struct{}

	mu     sync.Mutex
	source oauth2.TokenSource // caches; nil to start anew
}

const (
	messagingScope = "https://www.googleapis.com/auth/firebase.messaging"
	atOnce         = 16 // messages under way in one process
	maxReply       = 16 << 10
	// A payload may have 4096 bytes; the data needs some of them.
	maxPushTitle, maxPushBody = 300, 2500
)

// NewFCM reads the account. It connects with the first message.
func NewFCM(c PushConfig) (*FCM, error) {
	var account struct {
		Type         string `json:"type"`
		ProjectID    string `json:"project_id"`
		PrivateKeyID string `json:"private_key_id"`
		PrivateKey   string `json:"private_key"`
		ClientEmail  string `json:"client_email"`
		TokenURI     string `json:"token_uri"`
	}
	if err := json.Unmarshal([]byte(c.ServiceAccount), &account); err != nil || account.Type != "service_account" ||
		account.ProjectID == "" || account.PrivateKey == "" || account.TokenURI == "" {
		return nil, errors.New("FCM_SERVICE_ACCOUNT is no service account")
	}
	return &FCM{
		url:    strings.TrimSuffix(c.Endpoint, "/") + "/v1/projects/" + url.PathEscape(account.ProjectID) + "/messages:send",
		client: &http.Client{Timeout: c.Timeout}, timeout: c.Timeout, slots: make(chan struct{}, atOnce),
		account: &jwt.Config{Email: account.ClientEmail, PrivateKey: []byte(account.PrivateKey), PrivateKeyID: account.PrivateKeyID,
			Scopes: []string{messagingScope}, TokenURL: account.TokenURI},
	}, nil
}

// Push implements Pusher.
func (f *FCM) Push(ctx context.Context, m Push, ready handOver) error {
	body, err := json.Marshal(map[string]any{"message": map[string]any{
		"token": m.Token, "data": m.Data,
		"notification": map[string]string{"title": cut(m.Title, maxPushTitle), "body": cut(m.Body, maxPushBody)},
	}})
	if err != nil {
		return &Failure{Kind: Refused, Code: "payload"}
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return &Failure{Kind: Delayed, Code: "out of time"}
	}
	err = f.send(ctx, body, ready)
	var failure *Failure
	if errors.As(err, &failure) && failure.Code == unauthenticated {
		f.forget()                        // revoked before its time; a new one may do
		err = f.send(ctx, body, noMatter) // handed over already
	}
	return err
}

func (f *FCM) send(ctx context.Context, body []byte, ready handOver) error {
	token, err := f.token()
	if err != nil {
		return &Failure{Kind: Delayed, Code: "no access token"}
	}
	// The time begins now: a push that began when the wait for the token had used most of it up would be cut off half-way.
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	gate := &gated{ready: func() error { return ready(ctx) }, body: bytes.NewReader(body)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, gate)
	if err != nil {
		return &Failure{Kind: Refused, Code: "request"}
	}
	req.ContentLength = int64(len(body)) // and no GetBody: what may have arrived is not sent again behind our back
	req.Header.Set("Content-Type", "application/json")
	token.SetAuthHeader(req)
	res, err := f.client.Do(req)
	if err != nil {
		if gate.passed.Load() {
			return &Failure{Kind: Unknown, Code: "reply lost"}
		}
		return &Failure{Kind: Delayed, Code: "connection"}
	}
	defer func() { _ = res.Body.Close() }()
	reply, _ := io.ReadAll(io.LimitReader(res.Body, maxReply)) // the status alone decides whether it was taken
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return fcmFailure(res.StatusCode, reply)
}

// gated is a request's body that calls ready before its first byte leaves.
// Without the body a server can do nothing.
type gated struct {
	ready  func() error
	body   io.Reader
	passed atomic.Bool
}

// Read implements io.Reader.
func (g *gated) Read(p []byte) (int, error) {
	if !g.passed.Load() {
		if err := g.ready(); err != nil {
			return 0, err
		}
		g.passed.Store(true)
	}
	return g.body.Read(p)
}

const (
	unauthenticated = "fcm 401"
	tokenField      = "message.token"
)

// fcmFailure reads google.rpc.Status with its FcmError.
func fcmFailure(status int, reply []byte) *Failure {
	var e struct {
		Error struct {
			Details []struct {
				ErrorCode       string `json:"errorCode"`
				FieldViolations []struct {
					Field string `json:"field"`
				} `json:"fieldViolations"`
			} `json:"details"`
		} `json:"error"`
	}
	_ = json.Unmarshal(reply, &e) // an answer without details still has its status
	code := ""
	// FCM has one word for a token and for a message it cannot read; of a message it names the fields (google.rpc.BadRequest).
	var message, token bool
	for _, d := range e.Error.Details {
		for _, v := range d.FieldViolations {
			message, token = message || v.Field != tokenField, token || v.Field == tokenField
		}
		if d.ErrorCode != "" {
			code = d.ErrorCode
		}
	}
	switch {
	case code == "UNREGISTERED" || code == "INVALID_ARGUMENT" && status == http.StatusBadRequest && (token || !message):
		return &Failure{Kind: Gone, Code: code}
	case status == http.StatusUnauthorized:
		return &Failure{Kind: Delayed, Code: unauthenticated}
	case status == http.StatusTooManyRequests || status >= 500:
		return &Failure{Kind: Delayed, Code: fmt.Sprintf("fcm %d", status)}
	}
	return &Failure{Kind: Refused, Code: fmt.Sprintf("fcm %d", status)}
}

func (f *FCM) token() (*oauth2.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.source == nil {
		// The source outlives any request.
		f.source = f.account.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, f.client))
	}
	return f.source.Token()
}

func (f *FCM) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.source = nil
}

// cut bounds s to limit bytes without splitting a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	limit -= len("…")
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

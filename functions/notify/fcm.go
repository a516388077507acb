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

// PushConfig is how push messages are sent.
type PushConfig struct {
	// Endpoint is the address of Firebase Cloud Messaging.
	Endpoint string `env:"FCM_ENDPOINT" envDefault:"https://fcm.googleapis.com"`
	// ServiceAccount is the JSON key of the account that may send. If it is empty, no push messages are sent.
	ServiceAccount string `env:"FCM_SERVICE_ACCOUNT"`
	// Timeout is for one message.
	Timeout time.Duration `env:"FCM_TIMEOUT" envDefault:"10s"`
}

// Push is one message to one device.
type Push struct {
	Token, Title, Body string
	Data               map[string]string
}

// FCM sends by Firebase Cloud Messaging, HTTP v1. This API takes one message in each
// request. All requests share one connection and one access token.
type FCM struct {
	url     string
	client  *http.Client
	account *jwt.Config
	timeout time.Duration
	slots   chan struct{}

	mu     sync.Mutex
	source oauth2.TokenSource // caches the access token; nil before the first token and after dropToken
}

const (
	messagingScope      = "https://www.googleapis.com/auth/firebase.messaging"
	maxConcurrentPushes = 16       // in one process
	maxReply            = 16 << 10 // bytes
	// In bytes. A payload may have 4096 bytes, and the data needs some of them.
	maxPushTitle, maxPushBody = 300, 2500
)

// NewFCM reads the service account. It connects when the first message is sent.
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
		return nil, errors.New("FCM_SERVICE_ACCOUNT is not the JSON key of a service account")
	}
	return &FCM{
		url:    strings.TrimSuffix(c.Endpoint, "/") + "/v1/projects/" + url.PathEscape(account.ProjectID) + "/messages:send",
		client: &http.Client{Timeout: c.Timeout}, timeout: c.Timeout, slots: make(chan struct{}, maxConcurrentPushes),
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
		f.dropToken()                           // it may have been revoked early; try once with a new one
		err = f.send(ctx, body, ignoreHandOver) // the first send called ready
	}
	return err
}

func (f *FCM) send(ctx context.Context, body []byte, ready handOver) error {
	token, err := f.token()
	if err != nil {
		return &Failure{Kind: Delayed, Code: "no access token"}
	}
	// The timeout begins after the wait for the token, so that the push has all of it.
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	gate := &gatedBody{ready: func() error { return ready(ctx) }, body: bytes.NewReader(body)}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, gate)
	if err != nil {
		return &Failure{Kind: Refused, Code: "request"}
	}
	req.ContentLength = int64(len(body)) // GetBody stays nil, so that net/http does not send the message a second time
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
	reply, _ := io.ReadAll(io.LimitReader(res.Body, maxReply)) // the status alone says whether the message was accepted
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return fcmFailure(res.StatusCode, reply)
}

// gatedBody is a request body that calls ready before its first byte is read. A
// server cannot accept a message without its body.
type gatedBody struct {
	ready  func() error
	body   io.Reader
	passed atomic.Bool
}

// Read implements io.Reader.
func (g *gatedBody) Read(p []byte) (int, error) {
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

// fcmFailure reads the error reply of FCM: a google.rpc.Status with details.
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
	_ = json.Unmarshal(reply, &e) // without details the HTTP status decides
	code := ""
	// INVALID_ARGUMENT is the code for an invalid token and for an invalid message. For a message, the reply also names
	// the invalid fields (google.rpc.BadRequest).
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
		// The source is used by later requests too, so it must not have the context of this one.
		f.source = f.account.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, f.client))
	}
	return f.source.Token()
}

func (f *FCM) dropToken() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.source = nil
}

// cut shortens s to at most limit bytes without splitting a character.
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

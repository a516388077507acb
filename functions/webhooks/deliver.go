package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/webhook"
)

const (
	// callTimeout is how long a receiver has for its answer.
	callTimeout = 15 * time.Second
	// settleTime is kept free after a call, to record what came of it.
	settleTime = 10 * time.Second
	// maxAnswer is how many bytes of the body of an answer are read, so that the connection ends well. Nobody looks at them.
	maxAnswer = 16 << 10
	// userAgent names the caller.
	userAgent = "LafaekStreet-Webhooks/1.0 (https://www.lafaekstreet.com)"
)

// deliver makes the call of a delivery and records what came of it.
func (w *Worker) deliver(ctx context.Context, d *delivery) error {
	body, err := w.bodyOf(ctx, d)
	if err != nil {
		return err
	}
	if body == nil {
		return w.drop(ctx, d)
	}
	result, err := w.call(ctx, d, body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime) // the call was made, whatever ends now
	defer cancel()
	return w.settle(ctx, d, result)
}

// result is what came of a call.
type result struct {
	status     int           // 0 without an answer
	fault      webhook.Fault // "" when it was delivered
	retryAfter time.Duration
}

// call sends a body to the receiver. An error is a fault of this system.
func (w *Worker) call(ctx context.Context, d *delivery, body []byte) (result, error) {
	now := w.clock.Now()
	signature, err := w.sign(d, now, body)
	if err != nil {
		return result{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.receiver.URL, strings.NewReader(string(body)))
	if err != nil {
		return result{fault: webhook.BadURL}, nil //nolint:nilerr // the fault says it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Webhook-Id", d.ID.String())
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", signature)
	answer, err := w.client.Do(req, maxAnswer)
	switch {
	case answer.Status/100 == 2:
		return result{status: answer.Status}, nil
	case answer.Status != 0:
		return result{status: answer.Status, fault: webhook.BadStatus, retryAfter: retryAfter(answer.Header.Get("Retry-After"), now)}, nil
	}
	return result{fault: faultOf(err)}, nil
}

// sign signs a body with the secret, and with the one before while that is valid.
func (w *Worker) sign(d *delivery, at time.Time, body []byte) (string, error) {
	sealed := [][]byte{d.receiver.Secret}
	if d.receiver.Previous != nil {
		sealed = append(sealed, *d.receiver.Previous)
	}
	var all []string
	for _, s := range sealed {
		secret, err := w.sealer.Open(webhook.SealPurpose, s)
		if err != nil {
			return "", fmt.Errorf("open secret of webhook %s: %w", d.WebhookID, err)
		}
		all = append(all, webhook.Secret(secret).Sign(d.ID.String(), at, body))
	}
	return strings.Join(all, " "), nil
}

// faultOf names an error of outbound.
func faultOf(err error) webhook.Fault {
	for _, known := range []struct {
		err   error
		fault webhook.Fault
	}{
		{outbound.ErrNotPublic, webhook.NotPublic}, {outbound.ErrTimeout, webhook.TimedOut}, {outbound.ErrLookup, webhook.NoName}, {outbound.ErrTLS, webhook.BadTLS}, {outbound.ErrConnect, webhook.NoConnect},
	} {
		if errors.Is(err, known.err) {
			return known.fault
		}
	}
	return webhook.BadURL
}

// maxRetryAfter is the longest pause that a receiver may ask for.
const maxRetryAfter = 6 * time.Hour

// retryAfter reads a Retry-After header: seconds or an HTTP date; 0 for none.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

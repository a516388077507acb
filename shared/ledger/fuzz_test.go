package ledger

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
)

// says is a mirror node that answers everything with the same bytes.
type says struct {
	status int
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s.body)), Request: r}, nil
}

// FuzzMirror: whatever a mirror node answers is an error that says the node is of
// no use, or a message whose running hash can be derived or refused.
func FuzzMirror(f *testing.F) {
	const message = `{"topic_id":"0.0.1001","sequence_number":2,"consensus_timestamp":"1700000000.000000001","payer_account_id":"0.0.2001",` +
		`"message":"eyJ2IjoxfQ==","running_hash":"AAAA","running_hash_version":3,"chunk_info":{"initial_transaction_id":{"account_id":"0.0.2001","transaction_valid_start":"1699999999.5"}}}`
	for _, seed := range []string{message, `{"messages":[` + message + `]}`, `{"messages":[null]}`, `{"messages":null}`,
		`{"transactions":[{"result":"SUCCESS","transaction_hash":"AA==","consensus_timestamp":"1.1","nonce":0,"scheduled":false}]}`,
		`{"transactions":[]}`, `{"blocks":[{"timestamp":{"to":"99999999999999999999.1"}}]}`, `{"blocks":[{"timestamp":{"to":"-1.-1"}}]}`,
		`{"key":{"_type":"ECDSA_SECP256K1","key":"02zz"},"balance":{"balance":1}}`, `{"sequence_number":-1}`, `[]`, `null`, ``, `"a"`} {
		f.Add(200, []byte(seed))
	}
	f.Add(404, []byte(`{"_status":{"messages":[{"message":"Not found"}]}}`))
	f.Add(503, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		m := &Mirror{base: "http://mirror", http: &http.Client{Transport: says{status, body}}}
		ctx := t.Context()
		answered := func(err error) bool {
			if err != nil && !errors.Is(err, ErrMirrorUnavailable) && !errors.Is(err, ErrNotOnMirror) {
				t.Errorf("status %d: %v", status, err)
			}
			if err == nil && status != http.StatusOK {
				t.Errorf("status %d is believed", status)
			}
			return err == nil
		}
		if one, err := m.Message(ctx, "0.0.1", 1); answered(err) {
			checkMessage(t, one)
		}
		if list, err := m.Messages(ctx, "0.0.1", 1, 100); answered(err) {
			for _, one := range list {
				checkMessage(t, one)
			}
		}
		if tx, err := m.Transaction(ctx, "0.0.2@1.1"); answered(err) && tx == nil {
			t.Error("no transaction and no error")
		}
		_, err := m.Account(ctx, "0.0.2")
		answered(err)
		_, err = m.TopicKey(ctx, "0.0.1")
		answered(err)
		_, err = m.Horizon(ctx)
		answered(err)
	})
}

func checkMessage(t *testing.T, m *TopicMessage) {
	t.Helper()
	if again, err := parseNanos(formatNanos(m.ConsensusNanos)); m.ConsensusNanos >= 0 && (err != nil || again != m.ConsensusNanos) {
		t.Errorf("%d became %d, %v", m.ConsensusNanos, again, err)
	}
	if m.ConsensusNanos < 0 {
		t.Errorf("consensus before 1970: %d", m.ConsensusNanos)
	}
	if hash, err := RunningHash(m.RunningHash, m); err == nil && len(hash) != 48 {
		t.Errorf("running hash of %d bytes", len(hash))
	}
}

// FuzzPayload: a payload that can be read can be written again.
func FuzzPayload(f *testing.F) {
	f.Add([]byte(`{"event":"REPORT_SUBMITTED","report_number":"LS-2026-000001","seq":1,"v":1}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		p, err := decode(message)
		if err != nil {
			return
		}
		if _, err := canonical(p); err != nil {
			t.Errorf("read, and cannot be written again: %v", err)
		}
		if at, err := payloadInstant(p.At); err == nil && at.Format(payloadTime) != p.At {
			t.Errorf("%q is %q", p.At, at.Format(payloadTime))
		}
	})
}

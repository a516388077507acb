package ledger

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrNotOnMirror reports that the mirror node answered and does not have the requested object, or not yet.
	ErrNotOnMirror = errors.New("not on the mirror node")
	// ErrMirrorUnavailable reports that the mirror node gave no usable answer. A later try may succeed.
	ErrMirrorUnavailable = errors.New("mirror node unavailable")
)

// maxMirrorBody bounds an answer, in bytes. A page of 100 messages of 1 KiB is smaller than 250 KB.
const maxMirrorBody = 1 << 20

// Mirror reads a mirror node's REST API.
type Mirror struct {
	base string
	http *http.Client
}

// NewMirror returns a Mirror for the mirror node that c names.
func NewMirror(c Config) *Mirror {
	return &Mirror{base: strings.TrimSuffix(c.MirrorURL, "/"), http: &http.Client{Timeout: c.MirrorTimeout}}
}

// TopicMessage is a message as the mirror node holds it.
type TopicMessage struct {
	TopicID        string
	Sequence       uint64
	ConsensusNanos int64 // since 1970
	Payer          string
	TransactionID  string // 0.0.A@seconds.nanos; empty when the mirror gives none
	Contents       []byte
	RunningHash    []byte
	HashVersion    int
}

// Message returns the message with this sequence number of the topic.
func (m *Mirror) Message(ctx context.Context, topicID string, sequence uint64) (*TopicMessage, error) {
	var w wireMessage
	if err := m.get(ctx, fmt.Sprintf("/api/v1/topics/%s/messages/%d", topicID, sequence), &w); err != nil {
		return nil, err
	}
	return w.message()
}

// MessageAt returns the message with this consensus time, in nanoseconds since 1970.
func (m *Mirror) MessageAt(ctx context.Context, consensusNanos int64) (*TopicMessage, error) {
	var w wireMessage
	if err := m.get(ctx, "/api/v1/topics/messages/"+formatNanos(consensusNanos), &w); err != nil {
		return nil, err
	}
	return w.message()
}

// Messages lists up to limit (at most 100) messages of a topic, in order, beginning with the sequence number from.
func (m *Mirror) Messages(ctx context.Context, topicID string, from uint64, limit int) ([]*TopicMessage, error) {
	var page struct {
		Messages []wireMessage `json:"messages"`
	}
	path := fmt.Sprintf("/api/v1/topics/%s/messages?sequencenumber=gte:%d&limit=%d&order=asc", topicID, from, limit)
	if err := m.get(ctx, path, &page); err != nil {
		return nil, err
	}
	out := make([]*TopicMessage, len(page.Messages))
	for i := range page.Messages {
		var err error
		if out[i], err = page.Messages[i].message(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// MirrorTransaction is a transaction that reached consensus.
type MirrorTransaction struct {
	Result         string // SUCCESS, or why it failed
	Name           string
	EntityID       string
	Hash           []byte // SHA-384 of the signed bytes
	ConsensusNanos int64
}

// Transaction returns the transaction with this id, 0.0.A@seconds.nanos.
func (m *Mirror) Transaction(ctx context.Context, id string) (*MirrorTransaction, error) {
	account, start, ok := strings.Cut(id, "@")
	if !ok {
		return nil, fmt.Errorf("transaction id %q is malformed", id)
	}
	var page struct {
		Transactions []struct {
			Result    string `json:"result"`
			Name      string `json:"name"`
			Entity    string `json:"entity_id"`
			Hash      []byte `json:"transaction_hash"`
			Consensus string `json:"consensus_timestamp"`
			Nonce     int    `json:"nonce"`
			Scheduled bool   `json:"scheduled"`
		} `json:"transactions"`
	}
	if err := m.get(ctx, "/api/v1/transactions/"+account+"-"+strings.Replace(start, ".", "-", 1), &page); err != nil {
		return nil, err
	}
	var found *MirrorTransaction
	for _, t := range page.Transactions {
		if t.Nonce != 0 || t.Scheduled {
			continue
		}
		nanos, err := parseNanos(t.Consensus)
		if err != nil {
			return nil, err
		}
		// If a transaction was submitted twice, the list has the second one too, with a failure as its result.
		if found == nil || t.Result == "SUCCESS" {
			found = &MirrorTransaction{Result: t.Result, Name: t.Name, EntityID: t.Entity, Hash: t.Hash, ConsensusNanos: nanos}
		}
	}
	if found == nil {
		return nil, ErrNotOnMirror
	}
	return found, nil
}

// MirrorAccount is an account as the mirror node shows it.
type MirrorAccount struct {
	Key      []byte // compressed ECDSA point; nil for other kinds of key
	KeyType  string
	Tinybars int64
}

// Account returns the account with this id, 0.0.N.
func (m *Mirror) Account(ctx context.Context, id string) (*MirrorAccount, error) {
	var a struct {
		Key     *mirrorKey `json:"key"`
		Balance struct {
			Balance int64 `json:"balance"`
		} `json:"balance"`
	}
	if err := m.get(ctx, "/api/v1/accounts/"+id+"?transactions=false", &a); err != nil {
		return nil, err
	}
	out := &MirrorAccount{Tinybars: a.Balance.Balance}
	out.Key, out.KeyType = a.Key.point()
	return out, nil
}

// TopicKey returns the submit key of a topic; nil if anybody may post.
func (m *Mirror) TopicKey(ctx context.Context, topicID string) ([]byte, error) {
	var t struct {
		SubmitKey *mirrorKey `json:"submit_key"`
	}
	if err := m.get(ctx, "/api/v1/topics/"+topicID, &t); err != nil {
		return nil, err
	}
	key, _ := t.SubmitKey.point()
	return key, nil
}

// Horizon returns the newest consensus time that the mirror node has imported. A
// transaction before this time that the mirror node does not have did not happen.
func (m *Mirror) Horizon(ctx context.Context) (time.Time, error) {
	var page struct {
		Blocks []struct {
			Timestamp struct {
				To string `json:"to"`
			} `json:"timestamp"`
		} `json:"blocks"`
	}
	if err := m.get(ctx, "/api/v1/blocks?limit=1&order=desc", &page); err != nil {
		return time.Time{}, err
	}
	if len(page.Blocks) == 0 {
		return time.Time{}, fmt.Errorf("%w: it has no blocks", ErrMirrorUnavailable)
	}
	nanos, err := parseNanos(page.Blocks[0].Timestamp.To)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, nanos).UTC(), nil
}

func (m *Mirror) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+path, nil)
	if err != nil {
		return fmt.Errorf("mirror node: %w", err)
	}
	resp, err := m.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMirrorUnavailable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMirrorBody))
	switch {
	case err != nil:
		return fmt.Errorf("%w: read answer: %w", ErrMirrorUnavailable, err)
	case resp.StatusCode == http.StatusNotFound:
		return ErrNotOnMirror
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: status %d", ErrMirrorUnavailable, resp.StatusCode)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: malformed answer", ErrMirrorUnavailable)
	}
	return nil
}

type wireMessage struct {
	Topic     string `json:"topic_id"`
	Sequence  uint64 `json:"sequence_number"`
	Consensus string `json:"consensus_timestamp"`
	Payer     string `json:"payer_account_id"`
	Contents  string `json:"message"`
	Running   string `json:"running_hash"`
	Version   int    `json:"running_hash_version"`
	Chunk     *struct {
		Initial struct {
			Account string `json:"account_id"`
			Start   string `json:"transaction_valid_start"`
		} `json:"initial_transaction_id"`
	} `json:"chunk_info"`
}

func (w *wireMessage) message() (*TopicMessage, error) {
	out := &TopicMessage{TopicID: w.Topic, Sequence: w.Sequence, Payer: w.Payer, HashVersion: w.Version}
	if w.Chunk != nil {
		out.TransactionID = w.Chunk.Initial.Account + "@" + w.Chunk.Initial.Start
	}
	var err error
	if out.ConsensusNanos, err = parseNanos(w.Consensus); err != nil {
		return nil, err
	}
	if out.Contents, err = base64.StdEncoding.DecodeString(w.Contents); err != nil {
		return nil, fmt.Errorf("%w: message is not base64", ErrMirrorUnavailable)
	}
	if out.RunningHash, err = base64.StdEncoding.DecodeString(w.Running); err != nil {
		return nil, fmt.Errorf("%w: running hash is not base64", ErrMirrorUnavailable)
	}
	return out, nil
}

type mirrorKey struct {
	Type string `json:"_type"`
	Key  string `json:"key"`
}

func (k *mirrorKey) point() ([]byte, string) {
	if k == nil || k.Type != "ECDSA_SECP256K1" {
		return nil, ""
	}
	raw, err := hex.DecodeString(k.Key)
	if err != nil {
		return nil, k.Type
	}
	return raw, k.Type
}

// parseNanos reads the mirror's seconds.nanoseconds.
func parseNanos(s string) (int64, error) {
	sec, frac, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || len(frac) > 9 {
		return 0, fmt.Errorf("%w: timestamp %q", ErrMirrorUnavailable, s)
	}
	nanos, err := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: timestamp %q", ErrMirrorUnavailable, s)
	}
	return seconds*1e9 + nanos, nil
}

func formatNanos(n int64) string { return fmt.Sprintf("%d.%09d", n/1e9, n%1e9) }

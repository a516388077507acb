// Package idempotency remembers the first answer to a request that carried an
// Idempotency-Key, for 48 hours (swept by relay).
package idempotency

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Kept is how long an answer can be asked for again.
const Kept = 48 * time.Hour

// running bounds how long a request may hold its key without finishing: the
// gateway ends requests after 30 s.
const running = 40 * time.Second

// patience bounds the two statements of a claim.
const patience = 10 * time.Second

// Errors of Claim.
var (
	// ErrReused reports that the key was used for another request.
	ErrReused = errors.New("idempotency key reused")
	// ErrRunning reports that the first request has not finished.
	ErrRunning = errors.New("first request still running")
)

// Answer is what a client got.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Keys is the store of keys.
type Keys struct {
	db *database.DB
}

// New keeps keys in db.
func New(db *database.DB) *Keys { return &Keys{db: db} }

// Claim is the right to run a request under its key.
type Claim struct {
	keys     *Keys
	owner    string
	key      string
	recorded bool
}

// Claim takes the key for a request with the given hash. It returns the first
// answer when there is one, ErrReused or ErrRunning; else the claim, whose
// Finish must be called.
//
// A client that hangs up in the middle does not end it: a key taken that nobody
// knows of would keep the retry waiting for as long as a request may run.
func (k *Keys) Claim(ctx context.Context, owner, key string, hash [32]byte) (*Claim, *Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	const claim = `
		INSERT INTO idempotency_keys AS k (owner, key, request_hash, locked_until)
		VALUES ($1, $2, $3, now() + $4::interval)
		ON CONFLICT (owner, key) DO UPDATE
		   SET locked_until = excluded.locked_until, request_hash = excluded.request_hash, status = NULL, created_at = now()
		 WHERE (k.status IS NULL AND k.locked_until < now()) OR k.created_at < now() - $5::interval
		RETURNING true`
	var mine bool
	err := k.db.QueryRow(ctx, claim, owner, key, hash[:], running, Kept).Scan(&mine)
	if err == nil {
		return &Claim{keys: k, owner: owner, key: key}, nil, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fmt.Errorf("claim idempotency key: %w", err)
	}
	return k.first(ctx, owner, key, hash)
}

func (k *Keys) first(ctx context.Context, owner, key string, hash [32]byte) (*Claim, *Answer, error) {
	const q = `SELECT request_hash, status, response, coalesce(content_type, '') FROM idempotency_keys WHERE owner = $1 AND key = $2`
	var (
		stored []byte
		status *int
		a      Answer
	)
	err := k.db.QueryRow(ctx, q, owner, key).Scan(&stored, &status, &a.Body, &a.ContentType)
	if errors.Is(err, pgx.ErrNoRows) { // released between the two statements: the client tries again
		return nil, nil, ErrRunning
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read idempotency key: %w", err)
	}
	if !bytes.Equal(stored, hash[:]) {
		return nil, nil, ErrReused
	}
	if status == nil {
		return nil, nil, ErrRunning
	}
	a.Status = *status
	return nil, &a, nil
}

type contextKey struct{}

// WithClaim returns ctx for the request that holds c.
func WithClaim(ctx context.Context, c *Claim) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// Claimed reports whether the request carried a key, so that its answer is to be recorded.
func Claimed(ctx context.Context) bool {
	c, _ := ctx.Value(contextKey{}).(*Claim)
	return c != nil
}

// Record notes the answer in the transaction of its effect. Without a claim in
// ctx (no key was sent) it does nothing. Body is what the operation returns as its body.
func Record(ctx context.Context, tx database.Querier, status int, body any) error {
	c, _ := ctx.Value(contextKey{}).(*Claim)
	if c == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	if err := c.write(ctx, tx, Answer{Status: status, ContentType: "application/json", Body: append(raw, '\n')}); err != nil {
		return err
	}
	c.recorded = true
	return nil
}

// Blank is a text within an answer that only the database knows yet.
type Blank struct {
	Member string // whose value it is, first of that name in the answer
	Marker string // what stands in its place
	Query  string // that yields the text, out of the argument $6
	Arg    any
}

// RecordFilled is Record for an answer with a blank, which is filled in by the database.
func RecordFilled(ctx context.Context, tx database.Querier, status int, body any, b Blank) error {
	c, _ := ctx.Value(contextKey{}).(*Claim)
	if c == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	at := bytes.Index(raw, []byte(`"`+b.Member+`":"`+b.Marker+`"`))
	if at < 0 {
		return errors.New("record answer: it has no blank")
	}
	at += len(b.Member) + len(`"":"`)
	before, after := raw[:at], raw[at+len(b.Marker):]
	update := `UPDATE idempotency_keys SET status = $3, content_type = 'application/json',
		response = $4::bytea || convert_to((` + b.Query + `), 'UTF8') || $5::bytea WHERE owner = $1 AND key = $2`
	if err := database.Later(ctx, tx, update, c.owner, c.key, status, before, append(bytes.Clone(after), '\n'), b.Arg); err != nil {
		return fmt.Errorf("record answer: %w", err)
	}
	c.recorded = true
	return nil
}

func (c *Claim) write(ctx context.Context, q database.Querier, a Answer) error {
	const update = `UPDATE idempotency_keys SET status = $3, response = $4, content_type = $5 WHERE owner = $1 AND key = $2`
	if err := database.Later(ctx, q, update, c.owner, c.key, a.Status, a.Body, a.ContentType); err != nil {
		return fmt.Errorf("record answer: %w", err)
	}
	return nil
}

// Finish keeps a successful answer and gives the key back after any other, so
// that a retry runs again. What was recorded with the effect and committed stays.
func (c *Claim) Finish(ctx context.Context, finished bool, a Answer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if finished && a.Status >= 200 && a.Status < 300 {
		if c.recorded {
			return nil
		}
		return c.write(ctx, c.keys.db, a)
	}
	const release = `DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2 AND status IS NULL`
	if _, err := c.keys.db.Exec(ctx, release, c.owner, c.key); err != nil {
		return fmt.Errorf("release idempotency key: %w", err)
	}
	return nil
}

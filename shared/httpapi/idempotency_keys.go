package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// answerKept is how long a client can get the first answer to its Idempotency-Key again.
// The relay function deletes older records.
const answerKept = 48 * time.Hour

// runningFor is how long a request may hold its key without finishing. The gateway
// ends requests after 30 s.
const runningFor = 40 * time.Second

// claimTimeout bounds the two statements of a claim.
const claimTimeout = 10 * time.Second

// Errors of IdempotencyKeys.Claim.
var (
	// errKeyReused reports that the key was used for another request.
	errKeyReused = errors.New("idempotency key reused")
	// errRequestRunning reports that the first request has not finished.
	errRequestRunning = errors.New("first request still running")
)

// recordedAnswer is what a client got.
type recordedAnswer struct {
	Status      int
	ContentType string
	Body        []byte
}

// IdempotencyKeys stores the first answer to each request with an Idempotency-Key.
type IdempotencyKeys struct {
	db       *database.DB
	receipts Receipts
}

// Receipts keeps the receipts of the public log out of stored answers.
type Receipts interface {
	// Remove returns an answer with a mark in the place of each receipt.
	Remove(answer []byte) []byte
	// Restore returns a stored answer to a person with its receipts in the place of the marks.
	Restore(ctx context.Context, q database.Querier, person uuid.UUID, answer []byte) ([]byte, error)
}

// NewIdempotencyKeys keeps keys in db. Receipts is nil for a function whose answers have none.
func NewIdempotencyKeys(db *database.DB, receipts Receipts) *IdempotencyKeys {
	return &IdempotencyKeys{db: db, receipts: receipts}
}

// stored is an answer as the database keeps it: without receipts.
func (k *IdempotencyKeys) stored(answer []byte) []byte {
	if k.receipts == nil {
		return answer
	}
	return k.receipts.Remove(answer)
}

// replayed is a stored answer as the person gets it again: with its receipts, which are the same bytes.
func (k *IdempotencyKeys) replayed(ctx context.Context, person uuid.UUID, answer []byte) ([]byte, error) {
	if k.receipts == nil {
		return answer, nil
	}
	return k.receipts.Restore(ctx, k.db, person, answer)
}

// keyClaim is the right to run a request under its key.
type keyClaim struct {
	keys     *IdempotencyKeys
	owner    string
	key      string
	recorded bool
}

// Claim takes the key for a request with the given hashes. It returns the first answer when there is one, else
// errKeyReused or errRequestRunning, else the claim, whose Finish must be called.
//
// It does not stop when the client hangs up. Otherwise the key could stay taken without a running request, and a retry
// would have to wait until runningFor is over.
func (k *IdempotencyKeys) Claim(ctx context.Context, owner, key string, hashes requestHashes) (*keyClaim, *recordedAnswer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	const claim = `
		INSERT INTO idempotency_keys AS k (owner, key, request_hash, value_hash, locked_until)
		VALUES ($1, $2, $3, $4, now() + $5::interval)
		ON CONFLICT (owner, key) DO UPDATE
		   SET locked_until = excluded.locked_until, request_hash = excluded.request_hash, value_hash = excluded.value_hash,
		       status = NULL, created_at = now()
		 WHERE (k.status IS NULL AND k.locked_until < now()) OR k.created_at < now() - $6::interval
		RETURNING true`
	var mine bool
	err := k.db.QueryRow(ctx, claim, owner, key, hashes.text[:], hashes.valueHash(hashes.text[:]), runningFor, answerKept).Scan(&mine)
	if err == nil {
		return &keyClaim{keys: k, owner: owner, key: key}, nil, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fmt.Errorf("claim idempotency key: %w", err)
	}
	return k.first(ctx, owner, key, hashes)
}

// first returns the answer that is recorded under a key which another request has taken.
func (k *IdempotencyKeys) first(ctx context.Context, owner, key string, hashes requestHashes) (*keyClaim, *recordedAnswer, error) {
	const q = `SELECT request_hash, value_hash, status, response, coalesce(content_type, '') FROM idempotency_keys WHERE owner = $1 AND key = $2`
	var (
		requestHash, valueHash []byte
		status                 *int
		a                      recordedAnswer
	)
	err := k.db.QueryRow(ctx, q, owner, key).Scan(&requestHash, &valueHash, &status, &a.Body, &a.ContentType)
	if errors.Is(err, pgx.ErrNoRows) { // released between the two statements: the client tries again
		return nil, nil, errRequestRunning
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read idempotency key: %w", err)
	}
	if !hashes.same(requestHash, valueHash) {
		return nil, nil, errKeyReused
	}
	if status == nil {
		return nil, nil, errRequestRunning
	}
	a.Status = *status
	return nil, &a, nil
}

type claimKey struct{}

// withClaim returns ctx for the request that holds c.
func withClaim(ctx context.Context, c *keyClaim) context.Context {
	return context.WithValue(ctx, claimKey{}, c)
}

// HasIdempotencyKey reports that the request carries a key, so that its answer must be recorded.
func HasIdempotencyKey(ctx context.Context) bool {
	c, _ := ctx.Value(claimKey{}).(*keyClaim)
	return c != nil
}

// RecordAnswer stores the answer in the transaction of its effect. Without a claim in
// ctx (no key was sent) it does nothing. Body is what the operation returns as its body; late is the value in it that
// only the last round trip knows, if there is one. Receipts in it are not stored, and a replay has them again.
func RecordAnswer(ctx context.Context, p database.Pipeline, status int, body any, late ...database.Late) error {
	c, _ := ctx.Value(claimKey{}).(*keyClaim)
	if c == nil {
		return nil
	}
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false) // as answers are written
	if err := encoder.Encode(body); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	const update = `
		UPDATE idempotency_keys SET status = $6, content_type = 'application/json', response = convert_to(` + database.Filled + `, 'UTF8')
		WHERE owner = $4 AND key = $5`
	var value database.Late
	if len(late) > 0 {
		value = late[0]
	}
	p.Queue(update, value.Args(string(c.keys.stored(raw.Bytes())), c.owner, c.key, status)...)
	c.recorded = true
	return nil
}

// Finish stores a successful answer. After any other answer it releases the key, so
// that a retry runs again. An answer that RecordAnswer stored and that was committed
// stays.
func (c *keyClaim) Finish(ctx context.Context, finished bool, a recordedAnswer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if finished && a.Status >= 200 && a.Status < 300 {
		if c.recorded {
			return nil
		}
		const update = `UPDATE idempotency_keys SET status = $3, response = $4, content_type = $5 WHERE owner = $1 AND key = $2`
		if _, err := c.keys.db.Exec(ctx, update, c.owner, c.key, a.Status, c.keys.stored(a.Body), a.ContentType); err != nil {
			return fmt.Errorf("record answer: %w", err)
		}
		return nil
	}
	const release = `DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2 AND status IS NULL`
	if _, err := c.keys.db.Exec(ctx, release, c.owner, c.key); err != nil {
		return fmt.Errorf("release idempotency key: %w", err)
	}
	return nil
}

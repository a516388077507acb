package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

var one, other = hashesOfText("one"), hashesOfText("other")

func hashesOfText(text string) requestHashes {
	return requestHashes{value: sha256.Sum256([]byte(text)), text: sha256.Sum256([]byte(text))}
}

func openKeys(t *testing.T) (*database.DB, *IdempotencyKeys) {
	db := &database.DB{Pool: testdb.Pool(t)}
	return db, NewIdempotencyKeys(db, nil)
}

func TestFirstAnswerIsGivenAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, keys := openKeys(t)
	claim, first, err := keys.Claim(ctx, "maria", "k", one)
	if err != nil || first != nil || claim == nil {
		t.Fatalf("first claim: %v %v", first, err)
	}
	if _, _, err := keys.Claim(ctx, "maria", "k", one); !errors.Is(err, errRequestRunning) {
		t.Errorf("while running: got %v", err)
	}
	want := recordedAnswer{Status: 201, ContentType: "application/json", Body: []byte(`{"id":1}`)}
	if err := claim.Finish(ctx, true, want); err != nil {
		t.Fatal(err)
	}
	_, first, err = keys.Claim(ctx, "maria", "k", one)
	if err != nil || first == nil || first.Status != 201 || string(first.Body) != `{"id":1}` {
		t.Errorf("replay: got %+v %v", first, err)
	}
	if _, _, err := keys.Claim(ctx, "maria", "k", other); !errors.Is(err, errKeyReused) {
		t.Errorf("another request under the key: got %v", err)
	}
	if claim, _, err := keys.Claim(ctx, "joao", "k", other); err != nil || claim == nil {
		t.Errorf("another person's key of the same name: got %v", err)
	}
}

func TestAnswersAreKeptForTwoDays(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, keys := openKeys(t)
	claim, _, err := keys.Claim(ctx, "maria", "k", one)
	if err != nil {
		t.Fatal(err)
	}
	if err := claim.Finish(ctx, true, recordedAnswer{Status: 201}); err != nil {
		t.Fatal(err)
	}
	age := func(hours int) {
		t.Helper()
		const q = `UPDATE idempotency_keys SET created_at = now() - $1 * interval '1 hour', locked_until = now() - interval '1 minute'`
		if _, err := db.Exec(ctx, q, hours); err != nil {
			t.Fatal(err)
		}
	}
	age(47)
	if _, first, err := keys.Claim(ctx, "maria", "k", one); err != nil || first == nil || first.Status != 201 {
		t.Errorf("after 47 hours: got %+v, %v, want the first answer", first, err)
	}
	age(49)
	if claim, first, err := keys.Claim(ctx, "maria", "k", other); err != nil || first != nil || claim == nil {
		t.Errorf("after 49 hours: got %+v, %v, want a new claim", first, err)
	}
}

// A request that died without an answer holds its key for 40 seconds, longer than any request may run.
func TestAKeyOfADeadRequestIsFreeAfterFortySeconds(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, keys := openKeys(t)
	if _, _, err := keys.Claim(ctx, "maria", "k", one); err != nil {
		t.Fatal(err)
	}
	var seconds int
	if err := db.QueryRow(ctx, `SELECT extract(epoch FROM locked_until - created_at)::int FROM idempotency_keys`).Scan(&seconds); err != nil || seconds != 40 {
		t.Errorf("the key is held for %d seconds (error %v), want 40", seconds, err)
	}
	if _, err := db.Exec(ctx, `UPDATE idempotency_keys SET locked_until = now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	if claim, first, err := keys.Claim(ctx, "maria", "k", one); err != nil || first != nil || claim == nil {
		t.Errorf("got %+v, %v, want a claim", first, err)
	}
}

func TestFailureGivesTheKeyBack(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, keys := openKeys(t)
	for _, c := range []struct {
		finished bool
		status   int
	}{{true, 500}, {true, 422}, {false, 200}} {
		claim, _, err := keys.Claim(ctx, "maria", "k", one)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if err := claim.Finish(ctx, c.finished, recordedAnswer{Status: c.status}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRecordCommitsWithItsEffect(t *testing.T) {
	t.Parallel()
	db, keys := openKeys(t)
	claim, _, err := keys.Claim(t.Context(), "maria", "k", one)
	if err != nil {
		t.Fatal(err)
	}
	ctx := withClaim(t.Context(), claim)
	err = db.InTx(ctx, func(tx *database.Tx) error {
		return RecordAnswer(ctx, tx, 201, map[string]int{"id": 7})
	})
	if err != nil {
		t.Fatal(err)
	}
	// The process dies here: Finish is never called. The retry still gets the answer.
	_, first, err := keys.Claim(ctx, "maria", "k", one)
	if err != nil || first == nil || string(first.Body) != "{\"id\":7}\n" {
		t.Fatalf("got %+v %v", first, err)
	}
}

func TestRecordIsUndoneWithItsEffect(t *testing.T) {
	t.Parallel()
	db, keys := openKeys(t)
	claim, _, err := keys.Claim(t.Context(), "maria", "k", one)
	if err != nil {
		t.Fatal(err)
	}
	ctx := withClaim(t.Context(), claim)
	rollback := errors.New("rolled back")
	err = db.InTx(ctx, func(tx *database.Tx) error {
		if err := RecordAnswer(ctx, tx, 201, "x"); err != nil {
			return err
		}
		return rollback
	})
	if !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	if err := claim.Finish(ctx, true, recordedAnswer{Status: 500}); err != nil {
		t.Fatal(err)
	}
	if again, first, err := keys.Claim(ctx, "maria", "k", one); err != nil || first != nil || again == nil {
		t.Fatalf("got %+v %v", first, err)
	}
}

func TestOneOfManyRuns(t *testing.T) {
	t.Parallel()
	_, keys := openKeys(t)
	var ran atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			claim, _, err := keys.Claim(t.Context(), "maria", "k", one)
			if claim != nil && err == nil {
				ran.Add(1)
			}
		})
	}
	wg.Wait()
	if ran.Load() != 1 {
		t.Errorf("%d requests ran under one key", ran.Load())
	}
}

// A client that hangs up while its key is being taken leaves no key behind that its retry would have to wait for.
func TestHangingUpWhileTheKeyIsTaken(t *testing.T) {
	t.Parallel()
	db, keys := openKeys(t)
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const taken = `INSERT INTO idempotency_keys (owner, key, request_hash, locked_until) VALUES ('maria', 'k', '', now())`
	if _, err := tx.Exec(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(t.Context())
	type result struct {
		claim *keyClaim
		err   error
	}
	claimed := make(chan result, 1)
	go func() {
		claim, _, err := keys.Claim(ctx, "maria", "k", one)
		claimed <- result{claim, err}
	}()
	const waiting = `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`
	for n := 0; n == 0; {
		if err := db.QueryRow(t.Context(), waiting).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	hangUp()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := <-claimed
	if got.err != nil || got.claim == nil {
		t.Fatalf("got %v, %v", got.claim, got.err)
	}
	if err := got.claim.Finish(ctx, false, recordedAnswer{}); err != nil {
		t.Fatal(err)
	}
	if claim, _, err := keys.Claim(t.Context(), "maria", "k", one); err != nil || claim == nil {
		t.Errorf("the retry: got %v, %v", claim, err)
	}
}

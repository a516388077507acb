package ledger_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// bundle is a database the functions' role works on, and the same one as its owner.
type bundle struct {
	t     *testing.T
	db    *database.DB
	owner *database.DB
	box   *outbox.Outbox
	user  uuid.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	url := testdb.URL(t)
	open := func(role string) *database.DB {
		db, err := database.Open(t.Context(), database.Config{URL: url, Role: role, MaxConns: 4, ExecMode: "cache_statement"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		return db
	}
	b := &bundle{t: t, db: open("lafaek_app"), owner: open(""), user: database.NewID()}
	b.box = outbox.New(b.db, nil, slog.New(slog.DiscardHandler))
	b.exec(`INSERT INTO users (id, email, full_name) VALUES ($1, 'ana@example.org', 'Ana da Silva')`, b.user)
	return b
}

// exec runs a statement as the owner of the database.
func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.owner.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

var numbers = func() func() string {
	n := make(chan int)
	go func() {
		for i := 1; ; i++ {
			n <- i
		}
	}()
	return func() string { return fmt.Sprintf("LS-2026-%06d", <-n) }
}()

// report stores a report with one photograph, without any event.
func (b *bundle) report() uuid.UUID {
	b.t.Helper()
	id, upload := database.NewID(), database.NewID()
	hash := sha256.Sum256(upload[:])
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, title, description, latitude, longitude, captured_at)
		VALUES ($1, $2, $3, 'x', 'pothole', 'Kuak boot', 'Ana <3 "potholes" & ümlaut', -8.556856, 125.560314, $4)`,
		id, numbers(), b.user, noon.Add(-time.Hour))
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, display_sha256, thumbnail_sha256, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', 5, 'processed', $4, sha256($4), $5)`, upload, b.user, "originals/"+upload.String(), hash[:], noon)
	b.exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES ($1, $2, $3)`, database.NewID(), id, upload)
	return id
}

func (b *bundle) append(id uuid.UUID, e ledger.Event) (uuid.UUID, error) {
	if e.At.IsZero() {
		e.At = noon
	}
	if e.Actor.Kind == "" {
		e.Actor.Kind = "citizen"
	}
	var event uuid.UUID
	ctx := context.WithoutCancel(b.t.Context())
	err := b.box.Do(b.t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), e.Actor.AgencyID)
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		entry, err := chain.Get().Append(ctx, tx, e)
		if err == nil {
			event = entry.ID
		}
		return err
	})
	return event, err
}

// submitted is a report with its first event.
func (b *bundle) submitted() uuid.UUID {
	b.t.Helper()
	id := b.report()
	if _, err := b.append(id, ledger.Event{Type: ledger.Submitted}); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func scan[T any](b *bundle, sql string, args ...any) T {
	b.t.Helper()
	var v T
	if err := b.owner.QueryRow(b.t.Context(), sql, args...).Scan(&v); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// appendIn appends events to a report in tx.
func (b *bundle) appendIn(tx *outbox.Tx, id uuid.UUID, events ...ledger.Event) error {
	chain := ledger.AskChain(tx, report.AboutID(id), nil)
	if err := tx.Flush(b.t.Context()); err != nil {
		return err
	}
	for _, e := range events {
		e.Actor.Kind = "citizen"
		if _, err := chain.Get().Append(b.t.Context(), tx, e); err != nil {
			return err
		}
	}
	return nil
}

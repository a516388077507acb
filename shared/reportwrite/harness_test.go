package reportwrite_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/upload"
)

type bundle struct {
	t      *testing.T
	db     *pgxpool.Pool
	owner  *pgxpool.Pool // for statements that the functions may not make
	outbox *outbox.Outbox
	agency uuid.UUID
	author uuid.UUID
}

func setup(t *testing.T) *bundle {
	t.Helper()
	address := testdb.URL(t)
	connect := func(address string) *pgxpool.Pool {
		pool, err := pgxpool.New(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return pool
	}
	db := connect(testdb.AppURL(address))
	b := &bundle{t: t, db: db, owner: connect(address), outbox: outbox.New(&database.DB{Pool: db}, nil, slog.New(slog.DiscardHandler)), agency: database.NewID()}
	b.exec(`INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, 'DILI', 'Dili', 'municipal')`, b.agency)
	b.author = b.person("citizen")
	return b
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.owner.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) person(role string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO users (id, email, full_name, role) VALUES ($1, $2, 'A Person', $3)`, id, id.String()+"@example.org", role)
	return id
}

func (b *bundle) actor(kind report.ActorKind) report.Actor {
	if kind == report.ActorAI {
		return report.AI()
	}
	id := b.person(string(kind))
	a := report.Actor{Kind: kind, UserID: &id, SecondFactor: true}
	if kind == report.ActorOfficial {
		a.AgencyID = &b.agency
	}
	return a
}

// report puts a report straight into the state a test starts from.
func (b *bundle) report(status report.Status) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	var original *uuid.UUID
	if status == report.Duplicate {
		o := b.report(report.Pending)
		original = &o
	}
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, status, latitude, longitude,
		duplicate_of, assigned_agency_id) VALUES ($1, $2, $3, '', 'pothole', $4, -8.55, 125.57, $5, $6)`,
		id, "LS-2026-"+id.String(), b.author, status, original, b.agency)
	err := b.outbox.Do(b.t.Context(), func(tx *outbox.Tx) error {
		chain := ledger.AskChain(tx, report.AboutID(id), nil)
		if err := tx.Flush(b.t.Context()); err != nil {
			return err
		}
		_, err := chain.Get().Append(b.t.Context(), tx, ledger.Event{Type: ledger.Submitted, At: time.Now(), Actor: ledger.Actor{Kind: "ai"}})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bundle) move(m reportwrite.Move) (*reportwrite.Locked, error) {
	var out *reportwrite.Locked
	err := b.outbox.Do(b.t.Context(), func(tx *outbox.Tx) error {
		var err error
		m.Renditions = upload.NewRenditions(nil, nil) // no report has a picture
		out, err = reportwrite.Transition(b.t.Context(), tx, m)
		return err
	})
	return out, err
}

func (b *bundle) status(id uuid.UUID) report.Status {
	b.t.Helper()
	var s report.Status
	if err := b.db.QueryRow(b.t.Context(), `SELECT status FROM reports WHERE id = $1`, id).Scan(&s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bundle) count(sql string, args ...any) int {
	b.t.Helper()
	var n int
	if err := b.db.QueryRow(b.t.Context(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func kindOf(err error) problem.Kind {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Kind
	}
	return 0
}

func run(ctx context.Context, o *outbox.Outbox, m reportwrite.Move) error {
	return o.Do(ctx, func(tx *outbox.Tx) error {
		m.Renditions = upload.NewRenditions(nil, nil) // no report has a picture
		_, err := reportwrite.Transition(ctx, tx, m)
		return err
	})
}

package database_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

// session is what a statement sees of its session, and seen the query for it.
type session struct{ Role, Limit, Zone string }

const seen = `SELECT current_user::text, current_setting('statement_timeout'), current_setting('timezone')`

// Role and limits are set in each transaction, in the round trip of its first statement, and end with it. No startup parameter
// and no statement of its own is needed for them: a pooler refuses the one, and gives the next transaction to another session.
func TestSettingsTravelWithEachStatement(t *testing.T) {
	t.Parallel()
	proxy, err := dbproxy.Start(t.Context(), testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	scan := pgx.RowToStructByPos[session]
	ways := map[string]func(ctx context.Context, db *database.DB) (session, error){
		"query": func(ctx context.Context, db *database.DB) (session, error) {
			rows, err := db.Query(ctx, seen)
			if err != nil {
				return session{}, err
			}
			return pgx.CollectOneRow(rows, scan)
		},
		"row": func(ctx context.Context, db *database.DB) (session, error) {
			var s session
			err := db.QueryRow(ctx, seen).Scan(&s.Role, &s.Limit, &s.Zone)
			return s, err
		},
		"batch": func(ctx context.Context, db *database.DB) (session, error) {
			b := &database.Batch{}
			s := database.AskRow(b, scan, seen)
			err := b.Send(ctx, db)
			return answer(s, err)
		},
		"snapshot": func(ctx context.Context, db *database.DB) (session, error) {
			b := &database.Batch{}
			s := database.AskRow(b, scan, seen)
			err := b.SendSnapshot(ctx, db)
			return answer(s, err)
		},
		"transaction": func(ctx context.Context, db *database.DB) (session, error) {
			var s *database.Ask[session]
			err := db.InTx(ctx, func(tx *database.Tx) error {
				s = database.AskRow(tx, scan, seen)
				return nil
			})
			return answer(s, err)
		},
		"exec": func(ctx context.Context, db *database.DB) (session, error) {
			_, err := db.Exec(ctx, `DO $$ BEGIN ASSERT current_user = 'lafaek_app'; END $$`)
			return session{"lafaek_app", "7s", "UTC"}, err
		},
	}
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		db, err := database.Open(t.Context(), database.Config{URL: proxy.URL() + "&timezone=Asia/Dili", Role: "lafaek_app", MaxConns: 1,
			ExecMode: mode, StatementTimeout: 7 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for name, way := range ways {
			for i := range 2 { // the second time the statements are prepared
				proxy.Take()
				got, err := way(t.Context(), db)
				if err != nil || got != (session{"lafaek_app", "7s", "UTC"}) {
					t.Errorf("%s, %s: %+v, %v", mode, name, got, err)
				}
				if trips := proxy.Take(); i == 1 && len(trips) != 1 {
					t.Errorf("%s, %s: %d round trips, want one: %+v", mode, name, len(trips), trips)
				}
			}
		}
		var after session
		if err := db.Pool.QueryRow(t.Context(), seen).Scan(&after.Role, &after.Limit, &after.Zone); err != nil || after != (session{"postgres", "0", "Asia/Dili"}) {
			t.Errorf("%s: the session keeps %+v, %v", mode, after, err)
		}
	}
}

func answer(s *database.Ask[session], err error) (session, error) {
	if err != nil {
		return session{}, err
	}
	return s.Get(), nil
}

// Without a role and a limit nothing is sent but the statement.
func TestNothingIsSentForALoginWithSettingsOfItsOwn(t *testing.T) {
	t.Parallel()
	proxy, err := dbproxy.Start(t.Context(), testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), database.Config{URL: proxy.URL(), MaxConns: 1, ExecMode: "exec"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Fatal(err)
	}
	if trips := proxy.Take(); len(trips) != 1 || len(trips[0]) != 1 || trips[0][0].SQL != `SELECT 1` {
		t.Errorf("sent %+v", trips)
	}
}

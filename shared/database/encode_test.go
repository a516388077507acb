package database_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

// Arguments mean the same in each query mode, also in those that do not ask the server for their types.
func TestArgumentsInEveryQueryMode(t *testing.T) {
	t.Parallel()
	type word string
	type words map[word]struct{ Text string }
	address := testdb.URL(t)
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		db, err := database.Open(t.Context(), database.Config{URL: address, MaxConns: 1, ExecMode: mode})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		id := uuid.New()
		var list, ids []string
		var text, none string
		const q = `SELECT $1::text[], $2::jsonb #>> '{a,Text}', $3::uuid[]::text[], coalesce($4::text[]::text, 'null')`
		err = db.QueryRow(t.Context(), q, []word{"a", `b"`}, words{"a": {"it's"}}, []uuid.UUID{id}, []word(nil)).Scan(&list, &text, &ids, &none)
		if err != nil || !slices.Equal(list, []string{"a", `b"`}) || text != "it's" || !slices.Equal(ids, []string{id.String()}) || none != "null" {
			t.Errorf("%s: got %q %q %q %q, %v", mode, list, text, ids, none, err)
		}
	}
}

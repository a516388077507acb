package reportread

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/page"
)

// written is a report with words.
type written struct {
	id    uuid.UUID
	words string // folded
	at    time.Time
}

// fillWords makes n reports over four years, ever more of them, with words that are from very common to very rare, and some with words
// that were common only for a time. It returns them, the newest first.
func fillWords(t *testing.T, n int) (*Reader, []written) {
	t.Helper()
	db, random := testdb.OwnerPool(t), rand.New(rand.NewPCG(1, 2))
	out := make([]written, n)
	now := time.Now().UTC().Truncate(time.Microsecond)
	rows := make([][]any, n)
	for i := range out {
		share := random.Float64()
		out[i].at = now.Add(-time.Duration(share * share * share * float64(4*365*24*time.Hour)))
		var words []string
		for j, word := range []string{"becora", "estrada", "fuga", "klaran", "lixu", "osso", "ponte"} {
			if random.IntN([]int{10, 2, 900, 1, 40, 2900, 200}[j]) == 0 { // in one of so many reports
				words = append(words, word)
			}
		}
		if days := now.Sub(out[i].at).Hours() / 24; days > 10 && days < 300 {
			words = append(words, "udan")
		} else if days > 400 {
			words = append(words, "rai monu")
		}
		out[i].id, out[i].words = uuid.New(), strings.Join(words, " ")
		rows[i] = []any{out[i].id, uuid.NewString(), []byte{}, "pothole", "verified", strings.ToUpper(out[i].words), -8.5, 125.5, out[i].at, out[i].at}
	}
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := conn.Exec(ctx, `SET session_replication_role = replica`) // no triggers
			return err
		},
		func(ctx context.Context) error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"reports"}, []string{"id", "report_number", "content_hash", "issue_type", "status", "description", "latitude", "longitude", "created_at", "updated_at"}, pgx.CopyFromRows(rows))
			return err
		},
		func(ctx context.Context) error {
			_, err := conn.Exec(ctx, `VACUUM ANALYZE reports`)
			return err
		},
	} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(out, func(a, b written) int {
		return cmp.Or(b.at.Compare(a.at), strings.Compare(b.id.String(), a.id.String()))
	})
	return NewReader(db, nil, noMunicipality{}, ledger.Config{}), out
}

// A search returns what a look at the words of every report finds, page by page and in every order, however common the words are.
func TestASearchFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	r, all := fillWords(t, 6_000)
	for _, text := range []string{"klaran", "strada", "becora", "lixu", "ponte", "fuga", "osso", "udan", "rai monu", "estrada klaran", "klaran lixu", "ura", "none at all"} {
		var want []uuid.UUID
		for _, w := range all {
			if strings.Contains(w.words, text) {
				want = append(want, w.id)
			}
		}
		for _, order := range []string{"desc", "asc"} {
			q := Query{Query: page.Query{Page: 1, Size: 90}, Sort: "created_at", Order: order, Filters: Filters{Text: text}}
			var got []uuid.UUID
			for {
				p, err := r.List(t.Context(), Public(), q)
				if err != nil {
					t.Fatal(err)
				}
				if most := min(len(want), MaxTotal); p.Total != most {
					t.Errorf("%q %s, after %d: total %d, want %d", text, order, len(got), p.Total, most)
				}
				got = append(got, ids(p)...)
				if p.NextCursor == nil {
					break
				}
				q.Cursor = *p.NextCursor
			}
			if order == "asc" {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q %s: %d reports, want %d in their order", text, order, len(got), len(want))
			}
		}
		// By number of page.
		q := Query{Query: page.Query{Page: 3, Size: 7}, Sort: "created_at", Order: "desc", Filters: Filters{Text: text}}
		p, err := r.List(t.Context(), Public(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(p); !slices.Equal(got, want[min(14, len(want)):min(21, len(want))]) {
			t.Errorf("%q: page 3 is %v", text, got)
		}
	}
}

func ids(p Page) []uuid.UUID {
	out := make([]uuid.UUID, len(p.Items))
	for i, item := range p.Items {
		out[i] = item.ID
	}
	return out
}

package reportread

import (
	"cmp"
	"context"
	"fmt"
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
	"github.com/lafaekstreet/backend/shared/report"
)

// written is a report with words and a place.
type written struct {
	id                  uuid.UUID
	words               string // folded
	at                  time.Time
	latitude, longitude float64 // as everybody is shown them
	pending             bool    // nobody finds its words
}

// fillWords makes n reports over four years, ever more of them, with words that are from very common to very rare, and some with words
// that were common only for a time. Most of them are in a town, and one in four is without a verdict. It returns them, the newest first.
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
		out[i].id, out[i].words, out[i].pending = uuid.New(), strings.Join(words, " "), random.IntN(4) == 0
		latitude, longitude, status := -8.5+random.NormFloat64()/100, 125.5+random.NormFloat64()/100, "verified"
		if random.IntN(10) == 0 {
			latitude, longitude = -9.4+random.Float64(), 124.1+random.Float64()*3
		}
		if out[i].latitude, out[i].longitude = latitude, longitude; out[i].pending {
			out[i].latitude, out[i].longitude, status = report.ShownPlace(latitude), report.ShownPlace(longitude), "pending"
		}
		rows[i] = []any{out[i].id, uuid.NewString(), []byte{}, "pothole", status, strings.ToUpper(out[i].words), latitude, longitude, out[i].at, out[i].at}
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
		compare(t, r, Filters{Text: text}, all, func(w written) bool { return !w.pending && strings.Contains(w.words, text) })
	}
}

// A list of an area returns what a look at the place of every report finds, also of a time.
func TestAnAreaHasWhatAScanFinds(t *testing.T) {
	t.Parallel()
	r, all := fillWords(t, 2_500)
	day := func(ago int) (string, time.Time) {
		text := all[0].at.AddDate(0, 0, -ago).In(report.Zone()).Format(time.DateOnly)
		at, _, _ := instant(text)
		return text, at
	}
	for _, box := range []Box{{124, -9.5, 127.3, -8}, {125.49, -8.51, 125.51, -8.49}, {125.4, -8.6, 125.499, -8.502}, {126, -9, 126.2, -8.9}} {
		inside := func(w written) bool {
			return w.longitude >= box.MinLon && w.longitude <= box.MaxLon && w.latitude >= box.MinLat && w.latitude <= box.MaxLat
		}
		f := Filters{Box: fmt.Sprintf("%g,%g,%g,%g", box.MinLon, box.MinLat, box.MaxLon, box.MaxLat)}
		compare(t, r, f, all, inside)
		for _, ago := range []int{5, 90} {
			text, at := day(ago)
			f.DateFrom, f.DateTo = text, ""
			compare(t, r, f, all, func(w written) bool { return inside(w) && !w.at.Before(at) })
			f.DateFrom, f.DateTo = "", text
			compare(t, r, f, all, func(w written) bool { return inside(w) && w.at.Before(at.AddDate(0, 0, 1)) })
		}
	}
}

// compare fails unless the lists with the filters f have the reports that match, in their order.
func compare(t *testing.T, r *Reader, f Filters, all []written, match func(written) bool) {
	t.Helper()
	var want []uuid.UUID
	for _, w := range all {
		if match(w) {
			want = append(want, w.id)
		}
	}
	for _, order := range []string{"desc", "asc"} {
		q := Query{Query: page.Query{Page: 1, Size: 100}, Sort: "created_at", Order: order, Filters: f}
		var got []uuid.UUID
		for {
			p, err := r.List(t.Context(), Public(), q)
			if err != nil {
				t.Fatal(err)
			}
			if most := min(len(want), MaxTotal); p.Total != most {
				t.Errorf("%+v %s, after %d: total %d, want %d", f, order, len(got), p.Total, most)
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
			t.Errorf("%+v %s: %d reports, want %d in their order", f, order, len(got), len(want))
		}
	}
	q := Query{Query: page.Query{Page: 3, Size: 7}, Sort: "created_at", Order: "desc", Filters: f} // by number of page
	p, err := r.List(t.Context(), Public(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(p); !slices.Equal(got, want[min(14, len(want)):min(21, len(want))]) {
		t.Errorf("%+v: page 3 is %v", f, got)
	}
}

func ids(p Page) []uuid.UUID {
	out := make([]uuid.UUID, len(p.Items))
	for i, item := range p.Items {
		out[i] = item.ID
	}
	return out
}

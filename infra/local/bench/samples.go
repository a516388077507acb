package bench

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// samples are ids and values of the generated data that requests use.
type samples struct {
	reports  []uuid.UUID // any public reports
	pictured []uuid.UUID // public reports with an embedding; the analysis of a pending one is not given out
	ledgered []uuid.UUID // reports with confirmed events
	places   [][2]float64
	journeys []uuid.UUID
	tracked  []uuid.UUID // journeys with a track
	numbers  []string
	cursor   string // of a page after four fifths of all reports
	since    string // time since which about a hundred reports have changed
}

func (s *testbed) loadSamples(ctx context.Context, conn *pgx.Conn) (*samples, error) {
	f := &samples{}
	const public = `FROM reports r WHERE deleted_at IS NULL AND status NOT IN ('rejected', 'pending')`
	// Some pages are enough. Of many reports only some have a history (generate.Options).
	some := fmt.Sprintf(`FROM reports r TABLESAMPLE SYSTEM (%g) REPEATABLE (1) WHERE deleted_at IS NULL AND status NOT IN ('rejected', 'pending')
		AND EXISTS (SELECT FROM report_status_history h WHERE h.report_id = r.id)`, min(100, 100*100_000/float64(s.database.Reports)))
	for into, query := range map[*[]uuid.UUID]string{
		&f.reports:  `SELECT id ` + some + ` ORDER BY md5(id::text) LIMIT 64`,
		&f.pictured: `SELECT id ` + public + ` AND EXISTS (SELECT FROM report_embeddings e WHERE e.report_id = r.id) ORDER BY md5(id::text) LIMIT 64`,
		&f.ledgered: `SELECT id ` + public + ` AND EXISTS (SELECT FROM ledger_events e WHERE e.report_id = r.id) ORDER BY created_at DESC LIMIT 64`,
		&f.journeys: `SELECT id FROM journeys j WHERE NOT EXISTS (SELECT FROM tracks t WHERE t.journey_id = j.id) ORDER BY id LIMIT 64`,
		&f.tracked:  `SELECT journey_id FROM tracks ORDER BY journey_id LIMIT 64`,
	} {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("load samples: %w", err)
		}
		if *into, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
			return nil, fmt.Errorf("load samples: %w", err)
		}
	}
	rows, err := conn.Query(ctx, `SELECT latitude, longitude, report_number FROM reports WHERE id = ANY($1)`, f.reports)
	if err != nil {
		return nil, fmt.Errorf("load samples: %w", err)
	}
	var lat, lon float64
	var number string
	_, err = pgx.ForEachRow(rows, []any{&lat, &lon, &number}, func() error {
		f.places, f.numbers = append(f.places, [2]float64{lat, lon}), append(f.numbers, number)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load samples: %w", err)
	}
	var at time.Time
	const late = `SELECT updated_at FROM reports ORDER BY updated_at DESC OFFSET 100 LIMIT 1`
	if err := conn.QueryRow(ctx, late).Scan(&at); err != nil {
		return nil, fmt.Errorf("load samples: %w", err)
	}
	f.since = at.UTC().Format(time.RFC3339)
	const deep = `SELECT created_at FROM reports WHERE deleted_at IS NULL ORDER BY created_at OFFSET $1 LIMIT 1`
	if err := conn.QueryRow(ctx, deep, s.database.Reports/5).Scan(&at); err != nil {
		return nil, fmt.Errorf("load samples: %w", err)
	}
	// A cursor does not contain filters, so the cursor of this filtered page is valid for the list without a filter.
	request := apiclient.Request{Path: "/reports?page_size=1&date_to=" + url.QueryEscape(at.UTC().Format(time.RFC3339)), Token: s.tokens[s.site].citizen}
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	if err := s.site.client.Call(ctx, request, &page); err != nil {
		return nil, err
	}
	f.cursor = page.NextCursor
	return f, nil
}

// nth returns element i modulo the length of the list.
func nth[T any](list []T, i int) T { return list[i%len(list)] }

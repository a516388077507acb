package dbproxy

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Replay sends recorded round trips again over one connection. It measures the cost of the statements without the system.
type Replay struct {
	conn  *pgconn.PgConn
	names map[string]string // of prepared statements, by SQL
}

// NewReplay connects to the database at address.
func NewReplay(ctx context.Context, address string) (*Replay, error) {
	conn, err := pgconn.Connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return &Replay{conn: conn, names: map[string]string{}}, nil
}

// Close ends the connection.
func (r *Replay) Close(ctx context.Context) error { return r.conn.Close(ctx) }

// Prepare prepares the statements, so that Run costs what it costs a connected client.
func (r *Replay) Prepare(ctx context.Context, roundTrips []RoundTrip) error {
	for _, roundTrip := range roundTrips {
		for _, s := range roundTrip {
			if s.Simple || r.names[s.SQL] != "" {
				continue
			}
			name := fmt.Sprintf("replay_%d", len(r.names)+1)
			if _, err := r.conn.Prepare(ctx, name, s.SQL, nil); err != nil {
				return fmt.Errorf("replay: prepare %.80q: %w", s.SQL, err)
			}
			r.names[s.SQL] = name
		}
	}
	return nil
}

// Run sends prepared round trips and reads every row of the results.
func (r *Replay) Run(ctx context.Context, roundTrips []RoundTrip) error {
	for _, roundTrip := range roundTrips {
		if err := r.run(ctx, roundTrip); err != nil {
			return err
		}
	}
	return nil
}

func (r *Replay) run(ctx context.Context, roundTrip RoundTrip) error {
	if roundTrip[0].Simple {
		if _, err := r.conn.Exec(ctx, roundTrip[0].SQL).ReadAll(); err != nil {
			return fmt.Errorf("replay: %.80q: %w", roundTrip[0].SQL, err)
		}
		return nil
	}
	var batch pgconn.Batch
	for _, s := range roundTrip {
		batch.ExecPrepared(r.names[s.SQL], s.Args, s.Formats, s.Results)
	}
	results := r.conn.ExecBatch(ctx, &batch)
	for results.NextResult() {
		rows := results.ResultReader()
		for rows.NextRow() {
			_ = rows.Values()
		}
	}
	if err := results.Close(); err != nil {
		return fmt.Errorf("replay: %.80q: %w", roundTrip[0].SQL, err)
	}
	return nil
}

// Explain returns the plans of the reading statements, as EXPLAIN (FORMAT JSON) writes them. SET LOCAL in a round trip
// applies to its plans too.
func (r *Replay) Explain(ctx context.Context, roundTrips []RoundTrip) ([]string, error) {
	var out []string
	for _, roundTrip := range roundTrips {
		plans, err := r.explain(ctx, roundTrip)
		if err != nil {
			return nil, err
		}
		out = append(out, plans...)
	}
	return out, nil
}

func (r *Replay) explain(ctx context.Context, roundTrip RoundTrip) ([]string, error) {
	if _, err := r.conn.Exec(ctx, "BEGIN").ReadAll(); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	var out []string
	for _, s := range roundTrip {
		sql := "EXPLAIN (FORMAT JSON) " + s.SQL
		sets := strings.HasPrefix(s.SQL, "SELECT set_config(")
		if sets {
			sql = s.SQL
		}
		if s.Simple || !reads.MatchString(s.SQL) {
			continue
		}
		result := r.conn.ExecParams(ctx, sql, s.Args, nil, s.Formats, []int16{0}).Read()
		if result.Err != nil {
			return nil, fmt.Errorf("explain %.80q: %w", s.SQL, result.Err)
		}
		if !sets {
			out = append(out, string(result.Rows[0][0]))
		}
	}
	if _, err := r.conn.Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	return out, nil
}

var reads = regexp.MustCompile(`(?i)^\s*(select|with)\b`)

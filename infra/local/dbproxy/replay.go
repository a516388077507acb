package dbproxy

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Replay sends recorded flights again over one connection of its own: the bare cost of the same statements with the
// same arguments in the same round trips.
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

// Prepare readies the statements of flights, so that running them costs what it costs a warm client.
func (r *Replay) Prepare(ctx context.Context, flights []Flight) error {
	for _, flight := range flights {
		for _, s := range flight {
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

// Run sends flights that are prepared and reads every row of the answers.
func (r *Replay) Run(ctx context.Context, flights []Flight) error {
	for _, flight := range flights {
		if err := r.run(ctx, flight); err != nil {
			return err
		}
	}
	return nil
}

func (r *Replay) run(ctx context.Context, flight Flight) error {
	if flight[0].Simple {
		if _, err := r.conn.Exec(ctx, flight[0].SQL).ReadAll(); err != nil {
			return fmt.Errorf("replay: %.80q: %w", flight[0].SQL, err)
		}
		return nil
	}
	var batch pgconn.Batch
	for _, s := range flight {
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
		return fmt.Errorf("replay: %.80q: %w", flight[0].SQL, err)
	}
	return nil
}

// Explain returns the plans of the statements that read, as EXPLAIN (FORMAT JSON) writes them. What a flight sets for
// its own duration holds for its plans too.
func (r *Replay) Explain(ctx context.Context, flights []Flight) ([]string, error) {
	var out []string
	for _, flight := range flights {
		plans, err := r.explain(ctx, flight)
		if err != nil {
			return nil, err
		}
		out = append(out, plans...)
	}
	return out, nil
}

func (r *Replay) explain(ctx context.Context, flight Flight) ([]string, error) {
	if _, err := r.conn.Exec(ctx, "BEGIN").ReadAll(); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	var out []string
	for _, s := range flight {
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

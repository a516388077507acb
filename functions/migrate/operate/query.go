package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
)

// queryTimeout bounds the statement of sql.
const queryTimeout = 5 * time.Minute

// readerRole is the role of the functions: it reads every table and owns none.
const readerRole = "lafaek_app"

// query runs one statement in a transaction that cannot write, in the role of the functions. It prints the names of the columns and a
// line for each row, with tabs between the values.
func query(ctx context.Context, env config.Env, sql string, out io.Writer) error {
	if strings.TrimSpace(sql) == "" {
		return errors.New("the statement is empty")
	}
	c, err := config.Parse[database.Config](env)
	if err != nil {
		return err
	}
	// The mode "exec" sends one statement and refuses several. A login without rights begins in the role already.
	db, err := database.Open(ctx, database.Config{URL: c.URL, Role: readerRole, MaxConns: 1, ExecMode: "exec", StatementTimeout: queryTimeout})
	if err != nil {
		return err
	}
	defer db.Close()
	errDone := errors.New("rolled back")
	err = db.InTx(ctx, func(tx *database.Tx) error {
		tx.Queue(`SET TRANSACTION READ ONLY`)
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql, pgx.QueryResultFormats{pgx.TextFormatCode})
		if err != nil {
			return err
		}
		if err := show(rows, out); err != nil {
			return err
		}
		return errDone
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

func show(rows pgx.Rows, out io.Writer) error {
	defer rows.Close()
	var names []string
	for _, f := range rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	if len(names) > 0 {
		_, _ = fmt.Fprintln(out, strings.Join(names, "\t"))
	}
	for rows.Next() {
		values := make([]string, 0, len(names))
		for _, raw := range rows.RawValues() {
			if raw == nil {
				raw = []byte("NULL")
			}
			values = append(values, string(raw))
		}
		_, _ = fmt.Fprintln(out, strings.Join(values, "\t"))
	}
	return rows.Err()
}

package database_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
)

// cutConn is a connection whose other side can hang up.
type cutConn struct {
	net.Conn
	cut *atomic.Bool
}

// Read implements net.Conn.
func (c cutConn) Read(b []byte) (int, error) {
	if c.cut.Load() {
		return 0, io.EOF
	}
	return c.Conn.Read(b)
}

func TestALostConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var cut atomic.Bool
	config := testdb.Pool(t).Config().ConnConfig.Copy()
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return cutConn{conn, &cut}, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	for _, what := range []string{"the server hangs up", "the connection is closed"} {
		if _, err := conn.Exec(ctx, `SELECT 1`); !database.Unavailable(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := conn.Exec(ctx, `SELECT 1`); err == nil || err.Error() != "conn closed" {
		t.Errorf("got %v: does the test still close the connection?", err)
	}
}

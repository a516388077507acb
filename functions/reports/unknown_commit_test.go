package reports_test

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// commitCutter passes on the traffic with the database at an address. Once armed, it passes a commit on, and ends the connection
// of the client with the answer of the database: the client does not learn what became of it.
type commitCutter struct {
	net.Listener
	database string
	armed    atomic.Bool
}

func (c *commitCutter) serve() {
	for {
		client, err := c.Accept()
		if err != nil {
			return
		}
		go c.connect(client)
	}
}

func (c *commitCutter) connect(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", c.database)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var cut atomic.Bool
	go func() {
		defer func() { _ = server.Close() }()
		buffer := make([]byte, 1<<20)
		for {
			n, err := client.Read(buffer)
			if bytes.Contains(buffer[:n], []byte("commit\x00")) && c.armed.CompareAndSwap(true, false) {
				cut.Store(true)
			}
			if _, werr := server.Write(buffer[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if cut.Load() && err == nil {
			return
		}
		if _, werr := client.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

// A request whose commit has an unknown outcome gets no receipt. Its retry reads the report and gets it.
func TestNoReceiptWhileTheCommitIsUnknown(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	address, err := url.Parse(w.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cutter := &commitCutter{Listener: listener, database: address.Host}
	t.Cleanup(func() { _ = cutter.Close() })
	go cutter.serve()
	address.Host = listener.Addr().String()
	w.Env["DATABASE_URL"], w.Env["DATABASE_EXEC_MODE"] = address.String(), "exec" // each statement has its text
	w.Serve(reports.Open)
	c, body, key := w.Citizen(), newBody(object{"client_id": uuid.NewString()}), uuid.NewString()
	cutter.armed.Store(true)
	if got := c.With("Idempotency-Key", key).Post("/reports", body); got.Status != http.StatusServiceUnavailable || strings.Contains(string(got.Body), "receipt") {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if cutter.armed.Load() {
		t.Fatal("no commit was cut")
	}
	w.WaitUntil(`SELECT count(*) = 1 FROM reports`)
	if r := w.Receipt(c.Post("/reports", body).Want(http.StatusOK).Object()); r.Index != 0 || r.Salt == nil {
		t.Errorf("got %+v", r)
	}
	if r := w.Receipt(c.With("Idempotency-Key", key).Post("/reports", body).Want(http.StatusCreated).Object()); r.Index != 0 {
		t.Errorf("got %+v", r)
	}
}

package interop

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

const witnessName = "witness.example/w1"

// startWitness builds litewitness and starts it. It knows the log of logtest.
func startWitness(t *testing.T) translog.Witness {
	t.Helper()
	dir, err := os.MkdirTemp("", "witness") // the path of a socket is at most about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary := filepath.Join(dir, "litewitness")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "filippo.io/torchwood/cmd/litewitness").CombinedOutput(); err != nil {
		t.Fatalf("build litewitness: %v\n%s", err, out)
	}
	socket, public := serveAgent(t, dir)
	fingerprint, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	database := filepath.Join(dir, "witness.db")
	address := freeAddress(t)
	start := exec.CommandContext(t.Context(), binary, "-name", witnessName, "-db", database, "-ssh-agent", socket, "-listen", address,
		"-key", ssh.FingerprintSHA256(fingerprint))
	start.Stderr = t.Output()
	if err := start.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = start.Process.Kill()
		_ = start.Wait()
	})
	waitFor(t, address)
	register(t, database)
	verifier, err := torchwood.NewCosignatureVerifierFromKey(witnessName, public)
	if err != nil {
		t.Fatal(err)
	}
	return translog.Witness{VKey: verifier.String(), URL: "http://" + address}
}

// serveAgent serves an SSH agent with one key: litewitness asks it for signatures.
func serveAgent(t *testing.T, dir string) (string, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	return socket, public
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("litewitness does not listen")
}

// register tells the witness our log: its own tool for this imports a module that not every proxy gives out.
func register(t *testing.T, database string) {
	t.Helper()
	db, err := sqlite.OpenConn(database, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, row := range []struct {
		sql  string
		args []any
	}{
		{"INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", []any{logtest.Origin, translog.Empty().Hash.String()}},
		{"INSERT INTO key (origin, key) VALUES (?, ?)", []any{logtest.Origin, logtest.NewKey(t, logtest.Origin).VKey()}},
	} {
		if err := sqlitex.Execute(db, row.sql, &sqlitex.ExecOptions{Args: row.args}); err != nil {
			t.Fatal(err)
		}
	}
}

// ask asks the witness about the checkpoint. On a busy machine an answer may take longer than the second that it has.
func ask(t *testing.T, store translog.Store, c *translog.Checkpoint, w translog.Witness, known int64) translog.Answer {
	t.Helper()
	for {
		a := translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w}, map[string]int64{w.VKey: known})[0]
		if !errors.Is(a.Err, context.DeadlineExceeded) || t.Context().Err() != nil {
			return a
		}
	}
}

// TestLitewitness lets a witness confirm a log that grows, and refuse one that does not only grow.
func TestLitewitness(t *testing.T) {
	w := startWitness(t)
	store := logtest.NewMemory()
	key := logtest.NewKey(t, logtest.Origin)
	known := int64(0)
	var last, before *translog.Checkpoint
	for _, sizes := range [][]int64{{0}, {7}, {7, 35}, {7, 35, 90}, {7, 35, 90}, {256}, {257}, {65_535}, {65_536}, {70_000}} {
		before, last = last, logtest.Grown(t, store, sizes...)
		a := ask(t, store, last, w, known)
		if a.Err != nil || a.Size != last.N {
			t.Fatalf("size %d: %v", last.N, a.Err)
		}
		known = a.Size
		signed := translog.AddCosignatures(last.Signed, *a.Cosignature)
		verifier, err := torchwood.NewCosignatureVerifier(w.VKey)
		if err != nil {
			t.Fatal(err)
		}
		policy := torchwood.ThresholdPolicy(2, (&published{vkey: key.VKey()}).policy(t), torchwood.SingleVerifierPolicy(verifier))
		if c, _, err := torchwood.VerifyCheckpoint(signed, policy); err != nil || c.Tree != last.Tree {
			t.Errorf("with its cosignature: %v", err)
		}
		last.Signed = signed
		if last.N == 0 {
			continue
		}
		proofs, err := translog.Prove(t.Context(), store, last, last.N-1)
		if err != nil {
			t.Fatal(err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(logtest.Entry(last.N-1)), []byte(proofs[0].String())); err != nil {
			t.Errorf("proof with its cosignature: %v", err)
		}
	}

	// A caller that does not know the size is told.
	if a := ask(t, store, last, w, 0); a.Err != nil || a.Size != last.N {
		t.Errorf("after the size was forgotten: %v", a.Err)
	}

	// A rollback: 409 names the size that the witness knows.
	if a := ask(t, store, before, w, before.N); !errors.Is(a.Err, translog.ErrRollback) || a.Size != last.N || a.Cosignature != nil {
		t.Errorf("rollback: %+v", a)
	}

	// A fork: another log under the same key.
	other := func(_ context.Context, from, to int64) ([][]byte, error) {
		var out [][]byte
		for i := from; i < to; i++ {
			out = append(out, append(logtest.Entry(i), ' '))
		}
		return out, nil
	}
	for _, size := range []int64{last.N, last.N + 5} {
		fork := logtest.NewMemory()
		root, err := translog.Publish(t.Context(), fork, translog.Empty(), other, size)
		if err != nil {
			t.Fatal(err)
		}
		c, err := translog.SignCheckpoint(t.Context(), key, translog.Empty(), tlog.Tree{N: size, Hash: root})
		if err != nil {
			t.Fatal(err)
		}
		if a := ask(t, fork, c, w, last.N); a.Err == nil || !strings.Contains(a.Err.Error(), "answer 422") || a.Cosignature != nil {
			t.Errorf("fork of %d: %+v", size, a)
		}
	}
}

package translog_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

// TestSignedNoteExample reads the example of c2sp.org/signed-note with the library that reads ours.
func TestSignedNoteExample(t *testing.T) {
	t.Parallel()
	key, err := note.NewVerifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
	if err != nil {
		t.Fatal(err)
	}
	const signed = "This is an example message.\n\n" +
		"— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
	if _, err := note.Open([]byte(signed), note.VerifierList(key)); err != nil {
		t.Error(err)
	}
}

func TestNothingIsSignedThatTakesBack(t *testing.T) {
	t.Parallel()
	key := logtest.NewKey(t, logtest.Origin)
	asked := false
	signer := signerFunc{key.VKey(), func(ctx context.Context, m []byte) ([]byte, error) {
		asked = true
		return key.Sign(ctx, m)
	}}
	last := tlog.Tree{N: 5, Hash: tlog.RecordHash([]byte("a"))}
	for _, tree := range []tlog.Tree{{N: 4, Hash: last.Hash}, {N: 5, Hash: tlog.RecordHash([]byte("b"))}, translog.Empty()} {
		if _, err := translog.SignCheckpoint(t.Context(), signer, last, tree); !errors.Is(err, translog.ErrRollback) || asked {
			t.Errorf("size %d: %v, asked: %v", tree.N, err, asked)
		}
	}
	for _, tree := range []tlog.Tree{last, {N: 6, Hash: last.Hash}} {
		if c, err := translog.SignCheckpoint(t.Context(), signer, last, tree); err != nil || c.Tree != tree || c.Origin != logtest.Origin {
			t.Errorf("size %d: %v", tree.N, err)
		}
	}
}

type signerFunc struct {
	vkey string
	sign func(ctx context.Context, m []byte) ([]byte, error)
}

func (s signerFunc) VKey() string { return s.vkey }

func (s signerFunc) Sign(ctx context.Context, m []byte) ([]byte, error) { return s.sign(ctx, m) }

// TestWrongSignatureIsNotReturned has a key service that signs with another key, or badly.
func TestWrongSignatureIsNotReturned(t *testing.T) {
	t.Parallel()
	ours, other := logtest.NewKey(t, logtest.Origin), logtest.NewKey(t, "other.example/log")
	for name, sign := range map[string]func(ctx context.Context, m []byte) ([]byte, error){
		"another key": other.Sign,
		"empty":       func(context.Context, []byte) ([]byte, error) { return nil, nil },
		"failing":     func(context.Context, []byte) ([]byte, error) { return nil, errCrash },
	} {
		if c, err := translog.SignCheckpoint(t.Context(), signerFunc{ours.VKey(), sign}, translog.Empty(), translog.Empty()); err == nil {
			t.Errorf("%s: %s", name, c.Signed)
		}
	}
}

func TestOpenCheckpoint(t *testing.T) {
	t.Parallel()
	key, other := logtest.NewKey(t, logtest.Origin), logtest.NewKey(t, "other.example/log")
	c := logtest.Grown(t, logtest.NewMemory(), 300)
	signed := string(c.Signed)
	got, err := translog.OpenCheckpoint(c.Signed, logtest.Origin, key.VKey())
	if err != nil || got.Tree != c.Tree || string(got.Signed) != signed {
		t.Errorf("%v %v", got, err)
	}
	signBy := func(key *logtest.Key, text string) string {
		raw, err := key.Sign(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return text + "\n" + line(t, key.VKey(), raw)
	}
	sign := func(text string) string { return signBy(key, text) }
	root := c.Hash.String()
	for name, text := range map[string]string{
		"changed size":     strings.Replace(signed, "\n300\n", "\n301\n", 1),
		"no signature":     strings.SplitAfter(signed, "\n\n")[0],
		"another origin":   sign("other.example/log\n300\n" + root + "\n"),
		"size with zero":   sign(logtest.Origin + "\n0300\n" + root + "\n"),
		"negative size":    sign(logtest.Origin + "\n-1\n" + root + "\n"),
		"size too large":   sign(logtest.Origin + "\n9223372036854775807\n" + root + "\n"),
		"short root":       sign(logtest.Origin + "\n300\nAAAA\n"),
		"more lines":       sign(logtest.Origin + "\n300\n" + root + "\nmore\n"),
		"no root":          sign(logtest.Origin + "\n300\n"),
		"root in two ways": sign(logtest.Origin + "\n300\n" + root[:42] + "B=\n"),
	} {
		if c, err := translog.OpenCheckpoint([]byte(text), logtest.Origin, key.VKey()); err == nil {
			t.Errorf("%s: %v", name, c)
		}
	}
	others := signBy(other, logtest.Origin+"\n300\n"+root+"\n")
	if _, err := translog.OpenCheckpoint([]byte(others), logtest.Origin, other.VKey()); err == nil {
		t.Error("a key of another name is taken")
	}
	if _, err := translog.OpenCheckpoint(c.Signed, logtest.Origin); err == nil {
		t.Error("no key is enough")
	}
}

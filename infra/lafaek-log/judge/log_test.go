package judge_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "lafaekstreet.example/log"

// signer signs with Ed25519, or as a witness.
type signer struct {
	name    string
	alg     byte
	private ed25519.PrivateKey
}

// newSigner returns a signer with the same key each time.
func newSigner(name string, alg, seed byte) signer {
	return signer{name, alg, ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))}
}

func (s signer) public() []byte { return append([]byte{s.alg}, s.private[32:]...) }

func (s signer) id() []byte {
	sum := sha256.Sum256([]byte(s.name + "\n" + string(s.public())))
	return sum[:4]
}

func (s signer) vkey() string {
	return s.name + "+" + hex.EncodeToString(s.id()) + "+" + base64.StdEncoding.EncodeToString(s.public())
}

// line is the signature line for a text; at is a witness's time.
func (s signer) line(text string, at time.Time) string {
	raw := s.id()
	if s.alg == 4 {
		raw = binary.BigEndian.AppendUint64(raw, uint64(at.Unix()))
		text = fmt.Sprintf("cosignature/v1\ntime %d\n%s", at.Unix(), text)
	}
	raw = append(raw, ed25519.Sign(s.private, []byte(text))...)
	return "— " + s.name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
}

var (
	logKey      = newSigner(origin, 1, 'l')
	nextLogKey  = newSigner(origin, 1, 'm')
	receiptsKey = newSigner(origin+"/receipts", 1, 'r')
	nextReceipt = newSigner(origin+"/receipts", 1, 's')
	witness     = newSigner("witness.example/w1", 4, 'w')
	stranger    = newSigner("witness.example/w2", 4, 'x')
	filedAt     = time.Date(2026, 11, 28, 14, 23, 14, 651e6, time.UTC)
)

// testLog is a log in memory.
type testLog struct {
	t       testing.TB
	entries []string
	hashes  []tlog.Hash
}

func (l *testLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = l.hashes[n]
	}
	return out, nil
}

func (l *testLog) add(entry string) {
	hashes, err := tlog.StoredHashes(int64(len(l.entries)), []byte(entry), l)
	if err != nil {
		l.t.Fatal(err)
	}
	l.entries, l.hashes = append(l.entries, entry), append(l.hashes, hashes...)
}

// checkpoint returns the checkpoint of a size with these signatures; a witness signs at seen.
func (l *testLog) checkpoint(size int, seen time.Time, signers ...signer) string {
	root, err := tlog.TreeHash(int64(size), l)
	if err != nil {
		l.t.Fatal(err)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
	out := text + "\n"
	for _, s := range signers {
		out += s.line(text, seen)
	}
	return out
}

// proof returns the tlog-proof of an entry; extra is the line with the entry, or empty.
func (l *testLog) proof(index, size int, extra, checkpoint string) string {
	path, err := tlog.ProveRecord(int64(size), int64(index), l)
	if err != nil {
		l.t.Fatal(err)
	}
	out := "c2sp.org/tlog-proof@v1\n"
	if extra != "" {
		out += "extra " + base64.StdEncoding.EncodeToString([]byte(extra)) + "\n"
	}
	out += fmt.Sprintf("index %d\n", index)
	for _, h := range path {
		out += h.String() + "\n"
	}
	return out + "\n" + checkpoint
}

// receiptNote returns the note of a receipt.
func receiptNote(s signer, number string, index int, payload string, at time.Time) string {
	text := fmt.Sprintf("%s\n%s\n%d\n%s\n%s\n", origin, number, index, tlog.RecordHash([]byte(payload)), at.Format("2006-01-02T15:04:05.000Z"))
	return text + "\n" + s.line(text, at)
}

func encode(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func commit(t testing.TB, salt []byte, v any) string {
	t.Helper()
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write([]byte(encode(t, v)))
	return hex.EncodeToString(mac.Sum(nil))
}

// TestSignaturesAreThoseOfTheNotePackage compares this file's notes with an implementation of others.
func TestSignaturesAreThoseOfTheNotePackage(t *testing.T) {
	t.Parallel()
	v, err := note.NewVerifier(receiptsKey.vkey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(receiptNote(receiptsKey, "LS-2026-000001", 0, "x", filedAt)), note.VerifierList(v)); err != nil {
		t.Fatal(err)
	}
}

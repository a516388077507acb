package translog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// cosignatureV1 is the signature type of Ed25519 cosignatures in a verifier key.
const cosignatureV1 = 4

// witnessKey verifies cosignatures of one witness: c2sp.org/tlog-cosignature, Ed25519.
type witnessKey struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// newWitnessKey reads a verifier key of type 4, such as "witness.example/w1+c1a5f3d0+BAAB…".
func newWitnessKey(vkey string) (*witnessKey, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || name == "" || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureV1 {
		return nil, fmt.Errorf("%q is no verifier key of an Ed25519 witness", vkey)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	k := &witnessKey{name: name, hash: binary.BigEndian.Uint32(sum[:]), key: key[1:]}
	if id != fmt.Sprintf("%08x", k.hash) {
		return nil, fmt.Errorf("%q does not have the id of its key", vkey)
	}
	return k, nil
}

// Name implements note.Verifier.
func (k *witnessKey) Name() string { return k.name }

// KeyHash implements note.Verifier.
func (k *witnessKey) KeyHash() uint32 { return k.hash }

// Verify implements note.Verifier.
func (k *witnessKey) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	if at == 0 || at > math.MaxInt64 {
		return false
	}
	signed := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
	return ed25519.Verify(k.key, signed, signature[8:])
}

// Cosignature is the statement of a witness that at that time it knew no larger tree of the log.
type Cosignature struct {
	Witness string    // verifier key
	At      time.Time // seconds
	Line    string    // the line in the note, with its newline
}

// Cosignatures returns the valid cosignatures on a checkpoint by the witnesses with the verifier keys. It fails if a
// cosignature by one of them is wrong. Other signatures are ignored.
func Cosignatures(signed []byte, witnesses ...string) ([]Cosignature, error) {
	var out []Cosignature
	for _, vkey := range witnesses {
		key, err := newWitnessKey(vkey)
		if err != nil {
			return nil, err
		}
		opened, err := note.Open(signed, note.VerifierList(key))
		if unsigned := (*note.UnverifiedNoteError)(nil); errors.As(err, &unsigned) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cosignature of %s: %w", key.name, err)
		}
		raw, err := base64.StdEncoding.DecodeString(opened.Sigs[0].Base64)
		if err != nil {
			return nil, fmt.Errorf("cosignature of %s: %w", key.name, err)
		}
		out = append(out, Cosignature{Witness: vkey, Line: signatureLine(key, raw[4:]),
			At: time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()})
	}
	return out, nil
}

// AddCosignatures returns a checkpoint with the lines of more cosignatures. A line that it has already is not added.
func AddCosignatures(signed []byte, more ...Cosignature) []byte {
	out := bytes.Clone(signed)
	for _, c := range more {
		if !bytes.Contains(out, []byte("\n"+c.Line)) {
			out = append(out, c.Line...)
		}
	}
	return out
}

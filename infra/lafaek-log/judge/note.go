package judge

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Signature types of c2sp.org/signed-note.
const (
	algEd25519     = 1
	algCosignature = 4
)

// maxSignatures bounds the signature lines of one note.
const maxSignatures = 100

// vkey is a public key as c2sp.org/signed-note writes it: name+id+key.
type vkey struct {
	name string
	id   [4]byte
	alg  byte
	key  ed25519.PublicKey
}

// readVKey parses a key. It refuses one whose id is not that of name and key.
func readVKey(text string) (vkey, bool) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || parts[0] == "" || strings.ContainsFunc(parts[0], unicode.IsSpace) {
		return vkey{}, false
	}
	id, err := hex.DecodeString(parts[1])
	raw, ok := decode64(parts[2])
	if err != nil || !ok || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algEd25519 && raw[0] != algCosignature {
		return vkey{}, false
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(raw)))
	if len(id) != 4 || !slices.Equal(sum[:4], id) {
		return vkey{}, false
	}
	return vkey{parts[0], [4]byte(id), raw[0], raw[1:]}, true
}

// decode64 decodes base64 in its one canonical form.
func decode64(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	return raw, err == nil && !strings.ContainsAny(text, "\r\n")
}

// note is a signed note: its lines and its signatures.
type note struct {
	lines []string
	sigs  []noteSignature
}

type noteSignature struct {
	name string
	raw  []byte // key id and signature
}

// lines returns the lines of a text without white space around them, without the marks of a quoted mail, and without empty
// ones. Mail programs change all three.
func lines(text string) []string {
	var out []string
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\ufeff", "").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimRight(strings.TrimLeft(line, "> \t\u00a0"), " \t\u00a0"); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// readNote parses a signed note out of its lines. A mail program may have broken a signature over several lines.
func readNote(all []string) (*note, bool) {
	first := slices.IndexFunc(all, isSignature)
	if first < 1 {
		return nil, false
	}
	n := &note{lines: all[:first]}
	signatures := strings.Split(strings.Join(all[first:], " "), "—")[1:]
	if len(signatures) > maxSignatures {
		return nil, false
	}
	for _, s := range signatures {
		fields := strings.Fields(s)
		if len(fields) < 2 {
			return nil, false
		}
		raw, ok := decode64(strings.Join(fields[1:], ""))
		if !ok || len(raw) < 5 {
			return nil, false
		}
		n.sigs = append(n.sigs, noteSignature{fields[0], raw})
	}
	return n, true
}

// text is what was signed.
func (n *note) text() string { return strings.Join(n.lines, "\n") + "\n" }

// state of a signature of a note by one key.
type state int

const (
	absent state = iota
	wrong
	good
)

// signedBy checks the signature by a key. One wrong signature by it is enough to be wrong.
func (n *note) signedBy(k vkey) (state, time.Time) {
	found := absent
	var at time.Time
	for _, s := range n.sigs {
		if s.name != k.name || [4]byte(s.raw[:4]) != k.id {
			continue
		}
		message, signature := n.text(), s.raw[4:]
		if k.alg == algCosignature {
			if len(signature) != 8+ed25519.SignatureSize {
				return wrong, at
			}
			seconds := binary.BigEndian.Uint64(signature)
			if seconds > maxNumber/1000 {
				return wrong, at
			}
			at = time.Unix(int64(seconds), 0)
			message, signature = "cosignature/v1\ntime "+decimal(at.Unix())+"\n"+message, signature[8:]
		}
		if len(signature) != ed25519.SignatureSize || !ed25519.Verify(k.key, []byte(message), signature) {
			return wrong, at
		}
		found = good
	}
	return found, at
}

package translog

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the head of the log: c2sp.org/tlog-checkpoint.
type Checkpoint struct {
	Origin    string
	tlog.Tree // N is the number of entries, Hash the root
	// Signed is the note as it was signed, with all its signatures.
	Signed []byte
}

// Signer signs checkpoints, such as a key in KMS.
type Signer interface {
	// VKey is the public key (c2sp.org/signed-note). Its name is the origin of the log.
	VKey() string
	// Sign returns the Ed25519 signature over message: 64 bytes.
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// ErrRollback reports a checkpoint that would take back an earlier one.
var ErrRollback = errors.New("checkpoint is no continuation of the last one")

// SignCheckpoint returns the signed checkpoint of tree. last is the tree that was signed before, Empty() if none was. It
// fails with ErrRollback, and signs nothing, if tree is smaller than last, or as large with another root. The signature is
// checked before it is returned.
func SignCheckpoint(ctx context.Context, s Signer, last, tree tlog.Tree) (*Checkpoint, error) {
	if tree.N < last.N || tree.N == last.N && last.N > 0 && tree.Hash != last.Hash {
		return nil, fmt.Errorf("%w: %d entries after %d", ErrRollback, tree.N, last.N)
	}
	key, err := note.NewVerifier(s.VKey())
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	text := key.Name() + "\n" + strconv.FormatInt(tree.N, 10) + "\n" + tree.Hash.String() + "\n"
	signature, err := s.Sign(ctx, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	signed := text + "\n" + signatureLine(key, signature)
	return OpenCheckpoint([]byte(signed), key.Name(), s.VKey())
}

// signatureLine is the line of a signature in a signed note.
func signatureLine(key note.Verifier, signature []byte) string {
	raw := append(binary.BigEndian.AppendUint32(nil, key.KeyHash()), signature...)
	return "— " + key.Name() + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
}

// MaxCheckpoint is the longest checkpoint that is read, in bytes: it holds the lines of some 500 witnesses.
const MaxCheckpoint = 64 << 10

// OpenCheckpoint returns a checkpoint that one of the log's keys has signed. Signatures by other keys are ignored; see
// Cosignatures. It fails if the origin is another one, if no key of vkeys signed it, or if a signature by one is wrong.
func OpenCheckpoint(signed []byte, origin string, vkeys ...string) (*Checkpoint, error) {
	var keys []note.Verifier
	for _, vkey := range vkeys {
		key, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("log key: %w", err)
		}
		if key.Name() != origin {
			return nil, fmt.Errorf("log key is named %q, not %q", key.Name(), origin)
		}
		keys = append(keys, key)
	}
	opened, err := note.Open(signed, note.VerifierList(keys...))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := parseCheckpoint(opened.Text)
	if err != nil {
		return nil, err
	}
	if c.Origin != origin {
		return nil, fmt.Errorf("checkpoint is of %q, not of %q", c.Origin, origin)
	}
	c.Signed = signed
	return c, nil
}

// parseCheckpoint reads the three lines of a checkpoint. Our log has no extension lines.
func parseCheckpoint(text string) (*Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return nil, errors.New("checkpoint does not have three lines")
	}
	n, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || n < 0 || n > maxSize || strconv.FormatInt(n, 10) != lines[1] {
		return nil, errors.New("checkpoint has no size")
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return nil, fmt.Errorf("root of checkpoint: %w", err)
	}
	return &Checkpoint{Origin: lines[0], Tree: tlog.Tree{N: n, Hash: root}}, nil
}

// parseHash reads a hash in base64, in the one form it can have.
func parseHash(s string) (tlog.Hash, error) {
	h, err := tlog.ParseHash(s)
	if err != nil || h.String() != s {
		return tlog.Hash{}, errors.New("not a hash of 32 bytes in base64")
	}
	return h, nil
}

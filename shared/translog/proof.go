package translog

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that an entry is in the log: c2sp.org/tlog-proof. The extra line carries the entry.
type Proof struct {
	Index int64
	Entry []byte
	// Hashes lead from the entry's hash to the root of Checkpoint.
	Hashes tlog.RecordProof
	// Checkpoint is the signed note.
	Checkpoint []byte
}

const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	// between is the line between two proofs.
	between = "--\n"
)

// Prove returns a proof for each of the entries with the indexes. Files are checked against the root of c before they are
// used. It fails with ErrNotFound if an index is not in the tree, with ErrTampered if a file is missing or does not fit.
// Indexes in order cost fewer reads: a bundle is read once for all that follow each other in it.
func Prove(ctx context.Context, r Reader, c *Checkpoint, indexes ...int64) ([]*Proof, error) {
	hashes := newHashes(ctx, r, c.Tree)
	proofs := make([]*Proof, len(indexes))
	bundle, entries := int64(-1), [][]byte(nil)
	for i, index := range indexes {
		if index < 0 || index >= c.N {
			return nil, fmt.Errorf("%w: entry %d of %d", ErrNotFound, index, c.N)
		}
		path, err := tlog.ProveRecord(c.N, index, hashes)
		if err != nil {
			return nil, fmt.Errorf("prove entry %d: %w", index, err)
		}
		if n := index / width; n != bundle {
			if entries, err = readBundles(ctx, r, hashes, c.N, n, n+1); err != nil {
				return nil, err
			}
			bundle = n
		}
		proofs[i] = &Proof{Index: index, Entry: entries[index%width], Hashes: path, Checkpoint: c.Signed}
	}
	return proofs, nil
}

// ProveConsistency returns the proof that the tree of old entries is the beginning of tree (RFC 6962, section 2.1.2). It is
// empty for old = 0 and for old = tree.N.
func ProveConsistency(ctx context.Context, r Reader, tree tlog.Tree, old int64) (tlog.TreeProof, error) {
	if old < 0 || old > tree.N {
		return nil, fmt.Errorf("a tree of %d entries is no beginning of one of %d", old, tree.N)
	}
	if old == 0 || old == tree.N {
		return tlog.TreeProof{}, nil
	}
	proof, err := tlog.ProveTree(tree.N, old, newHashes(ctx, r, tree))
	if err != nil {
		return nil, fmt.Errorf("prove that %d entries became %d: %w", old, tree.N, err)
	}
	return proof, nil
}

// CheckConsistency reports whether proof shows that old is the beginning of tree. It fails with ErrTampered if not.
func CheckConsistency(proof tlog.TreeProof, tree, old tlog.Tree) error {
	if old.N == 0 && len(proof) == 0 && old.Hash == Empty().Hash || old == tree && len(proof) == 0 {
		return nil
	}
	if old.N <= 0 || old.N >= tree.N || tree.N > maxSize {
		return fmt.Errorf("%w: a tree of %d entries is not consistent with one of %d", ErrTampered, old.N, tree.N)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return nil
}

// Verify checks the proof against the log's origin and verifier keys, and returns the checkpoint.
func (p *Proof) Verify(origin string, vkeys ...string) (*Checkpoint, error) {
	c, err := OpenCheckpoint(p.Checkpoint, origin, vkeys...)
	if err != nil {
		return nil, err
	}
	if p.Index < 0 || p.Index >= c.N {
		return nil, fmt.Errorf("entry %d is not in a tree of %d", p.Index, c.N)
	}
	if err := tlog.CheckRecord(p.Hashes, c.N, c.Hash, p.Index, tlog.RecordHash(p.Entry)); err != nil {
		return nil, fmt.Errorf("entry %d: %w", p.Index, err)
	}
	return c, nil
}

// String is the text of the proof.
func (p *Proof) String() string {
	var b strings.Builder
	b.WriteString(proofHeader + "\nextra " + base64.StdEncoding.EncodeToString(p.Entry) + "\nindex " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n" + string(p.Checkpoint))
	return b.String()
}

// JoinProofs is the text of several proofs, with a line "--" between two.
func JoinProofs(proofs []*Proof) string {
	texts := make([]string, len(proofs))
	for i, p := range proofs {
		texts[i] = p.String()
	}
	return strings.Join(texts, between)
}

// ParseProofs reads what JoinProofs wrote: one proof or more. It verifies nothing.
func ParseProofs(text string) ([]*Proof, error) {
	parts := strings.Split(text, "\n"+between)
	proofs := make([]*Proof, len(parts))
	for i, part := range parts {
		if i < len(parts)-1 {
			part += "\n" // the split took it
		}
		p, err := parseProof(part)
		if err != nil {
			return nil, fmt.Errorf("proof %d: %w", i+1, err)
		}
		proofs[i] = p
	}
	return proofs, nil
}

func parseProof(text string) (*Proof, error) {
	head, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != proofHeader {
		return nil, errors.New("text is no proof of version 1")
	}
	extra, ok := strings.CutPrefix(lines[1], "extra ")
	entry, err := base64.StdEncoding.DecodeString(extra)
	if !ok || err != nil {
		return nil, errors.New("proof does not carry its entry")
	}
	number, ok := strings.CutPrefix(lines[2], "index ")
	index, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || index < 0 {
		return nil, errors.New("proof has no index")
	}
	p := &Proof{Index: index, Entry: entry, Checkpoint: []byte(checkpoint)}
	if len(lines)-3 > 63 {
		return nil, errors.New("proof has too many hashes")
	}
	for _, line := range lines[3:] {
		h, err := parseHash(line)
		if err != nil {
			return nil, err
		}
		p.Hashes = append(p.Hashes, h)
	}
	if p.String() != text {
		return nil, errors.New("proof is not written in the one form it can have")
	}
	return p, nil
}

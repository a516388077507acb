package translog

import "golang.org/x/mod/sumdb/tlog"

// RightEdge computes the root of a tree (RFC 6962) that grows by one leaf at a time. It keeps the hashes of the right edge
// alone, so its memory does not grow with the tree. The zero value is the empty tree.
type RightEdge struct {
	size  int64
	roots []tlog.Hash // of the full subtrees, the largest first
}

// Add appends the hash of a leaf.
func (e *RightEdge) Add(leaf tlog.Hash) {
	e.roots = append(e.roots, leaf)
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.roots) - 1
		e.roots = append(e.roots[:last-1], tlog.NodeHash(e.roots[last-1], e.roots[last]))
	}
	e.size++
}

// Tree is the size and the root.
func (e *RightEdge) Tree() tlog.Tree {
	if e.size == 0 {
		return Empty()
	}
	root := e.roots[len(e.roots)-1]
	for i := len(e.roots) - 2; i >= 0; i-- {
		root = tlog.NodeHash(e.roots[i], root)
	}
	return tlog.Tree{N: e.size, Hash: root}
}

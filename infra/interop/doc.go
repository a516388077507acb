// Package interop has tests that check the public log with other people's software: the fsck and the client of Tessera, the
// Merkle and format libraries of transparency-dev, torchwood's client and proofs, and litewitness, a witness.
//
// It is a module of its own, so that none of this is among the dependencies of the functions. `make interop` runs it.
// "go mod tidy" needs the flag -e here: it also looks for what litewitness's own tests import, and not every proxy gives
// that module out. After a change of the dependencies in the main go.mod, run it again.
package interop

// Package sdks checks that the code generators of other people make working clients of our OpenAPI document. `make sdks`
// runs it: each generator gets the document of a running system, its output is compiled strictly, and a small program
// signs in with it, files a report, reads it and a list, and gets one error by its code.
//
// The programs in Go are a module of their own, so that no generator is among the dependencies of the functions.
package sdks

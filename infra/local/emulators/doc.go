// Package emulators has tests of what the functions ask of S3 and of KMS against emulators that other people wrote: versitygw and
// local-kms. One plays the demo with both. `make emulators` builds both and runs the tests. Without the variable EMULATORS, a directory with the two programs, they are
// skipped.
package emulators

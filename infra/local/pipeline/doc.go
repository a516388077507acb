// Package pipeline has the tests that run all workers together under failures: messages that come twice, late or out of
// order, calls that are cut off, services that fail, a database that is gone.
package pipeline

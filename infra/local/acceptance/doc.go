// Package acceptance tests the whole API over HTTP: every operation of the OpenAPI
// document, what the published journey client relies on, and the faults of the
// backend that this client used before. It contains only tests.
package acceptance

// Package pipeline holds the tests that run the workers against each other under
// everything a queue and a machine may do to them: messages twice, out of order,
// late, calls cut off half-way, services that fail, the database gone.
package pipeline

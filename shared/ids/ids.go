// Package ids makes the ids of rows: UUIDv7, which sort by the time they were made.
package ids

import "github.com/google/uuid"

// New is a fresh UUIDv7. It panics only when the machine has no randomness left,
// as crypto/rand itself does.
func New() uuid.UUID { return uuid.Must(uuid.NewV7()) }

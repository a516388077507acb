package database

import "github.com/google/uuid"

// NewID is a fresh UUIDv7. It panics only when the machine has no randomness left,
// as crypto/rand itself does.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

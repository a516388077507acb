package testenv

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/database"
)

// APIKey makes an API key of another system, with 600 requests a minute. It returns the id and the secret.
func (w *System) APIKey(name string) (uuid.UUID, string) {
	w.Helper()
	id, secret := database.NewID(), apikey.NewSecret()
	w.Exec(`INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES ($1, $2, 'ops@example.org', 600, $3)`, id, name, apikey.Hash(secret))
	return id, secret
}

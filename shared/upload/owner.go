package upload

import (
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// Owner is whom an upload belongs to: a person, or the API key of another system. One of the two is set.
type Owner struct {
	Person, Key uuid.UUID
}

// OfPerson is a person as an Owner.
func OfPerson(id uuid.UUID) Owner { return Owner{Person: id} }

// OfKey is an API key as an Owner.
func OfKey(id uuid.UUID) Owner { return Owner{Key: id} }

// columns are the values of user_id and api_key_id.
func (o Owner) columns() (*uuid.UUID, *uuid.UUID) {
	if o.Person != uuid.Nil {
		return &o.Person, nil
	}
	return nil, &o.Key
}

// Await adds an upload of an API key whose bytes the worker fetch gets later: the caller sends it a message in the same transaction. Until
// then the content type is application/octet-stream and the size 1 byte, because neither is known.
func Await(p database.Pipeline, key uuid.UUID, now time.Time) Locked {
	u := Locked{ID: database.NewID(), State: Issued, ExpiresAt: now.Add(Life)}
	const q = `INSERT INTO uploads (id, api_key_id, s3_key, content_type, size_bytes, expires_at) VALUES ($1, $2, $3, 'application/octet-stream', 1, $4)`
	p.Queue(q, u.ID, key, OriginalKey(u.ID), u.ExpiresAt)
	return u
}

package upload_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/upload"
)

func TestUploadsThatMayNotBeAttached(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		upload upload.Locked
		code   string
	}{
		"processed":  {upload.Locked{State: upload.Processed, ExpiresAt: now.Add(time.Second)}, ""},
		"not stored": {upload.Locked{State: upload.Issued, ExpiresAt: now.Add(time.Second)}, ""},
		"refused":    {upload.Locked{State: upload.Refused, ExpiresAt: now.Add(time.Second)}, "upload_refused"},
		"attached":   {upload.Locked{State: upload.Stored, Attached: true, ExpiresAt: now.Add(time.Second)}, "upload_in_use"},
		"expired":    {upload.Locked{State: upload.Stored, ExpiresAt: now.Add(-time.Second)}, "upload_unknown"},
	} {
		err := c.upload.Usable(now)
		var refused *problem.Error
		if c.code == "" && err != nil || c.code != "" && (!errors.As(err, &refused) || refused.Code != c.code) {
			t.Errorf("%s: got %v, want code %q", name, err, c.code)
		}
	}
}

// Of two reports that want the same upload at once, the second waits and then sees that it is attached.
func TestUploadsAreLockedUntilTheyAreAttached(t *testing.T) {
	t.Parallel()
	db, owner, id := &database.DB{Pool: testdb.Pool(t)}, database.NewID(), database.NewID()
	if _, err := db.Exec(t.Context(), `INSERT INTO users (id, email) VALUES ($1, 'ana@example.tl')`, owner); err != nil {
		t.Fatal(err)
	}
	const insert = `INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', 5, 'stored', now() + interval '1 day')`
	if _, err := db.Exec(t.Context(), insert, id, owner, upload.OriginalKey(id)); err != nil {
		t.Fatal(err)
	}
	err := db.InTx(t.Context(), func(tx *database.Tx) error {
		found := upload.Lock(tx, upload.OfPerson(owner), []uuid.UUID{id})
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		if locked, err := upload.InOrder([]uuid.UUID{id}, found.Get()); err != nil || len(locked) != 1 || locked[0].ID != id {
			t.Errorf("found %+v, %v", locked, err)
		}
		var refused *pgconn.PgError
		if _, err := db.Exec(t.Context(), `SELECT FROM uploads WHERE id = $1 FOR UPDATE NOWAIT`, id); !errors.As(err, &refused) || refused.Code != "55P03" {
			t.Errorf("another transaction: got %v, want that the upload is locked", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
)

type deviceBundle struct {
	t  *testing.T
	db *pgxpool.Pool
}

func (b deviceBundle) person() uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	if _, err := b.db.Exec(b.t.Context(), `INSERT INTO users (id, email) VALUES ($1, $2)`, id, id.String()+"@example.tl"); err != nil {
		b.t.Fatal(err)
	}
	return id
}

// store stores a device as if that had happened the given time ago.
func (b deviceBundle) store(user uuid.UUID, d account.Device, ago time.Duration) {
	b.t.Helper()
	batch := &database.Batch{}
	account.StoreDevice(batch, user, d)
	err := batch.Send(b.t.Context(), b.db)
	if err != nil {
		b.t.Fatal(err)
	}
	const age = `UPDATE devices SET updated_at = now() - $3::interval WHERE user_id = $1 AND device_id = $2`
	if _, err := b.db.Exec(b.t.Context(), age, user, d.ID, ago); err != nil {
		b.t.Fatal(err)
	}
}

func (b deviceBundle) devices(user uuid.UUID) map[string]bool {
	b.t.Helper()
	rows, err := b.db.Query(b.t.Context(), `SELECT device_id FROM devices WHERE user_id = $1`, user)
	if err != nil {
		b.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.t.Fatal(err)
	}
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

func TestAPersonKeepsTheTwentyLatestDevices(t *testing.T) {
	t.Parallel()
	b := deviceBundle{t: t, db: testdb.Pool(t)}
	ana, beto := b.person(), b.person()
	b.store(beto, account.Device{ID: "phone", Platform: "ios"}, 100*time.Hour)
	for n := range 22 { // phone 0 is the latest used, phone 21 the longest unused
		b.store(ana, account.Device{ID: fmt.Sprintf("phone-%d", n), Platform: "android"}, time.Duration(n)*time.Hour)
	}
	b.store(ana, account.Device{ID: "tablet", Platform: "web"}, 0)
	left := b.devices(ana)
	if len(left) != 20 || !left["tablet"] {
		t.Fatalf("%d devices are left, want 20 with the newest: %v", len(left), left)
	}
	for n := range 19 {
		if id := fmt.Sprintf("phone-%d", n); !left[id] {
			t.Errorf("%s is gone, and longer unused devices are left", id)
		}
	}
	if !b.devices(beto)["phone"] {
		t.Error("the device of another person is gone")
	}
}

// A phone that changes hands must not show the notifications of its last owner.
func TestAPushTokenBelongsToTheLastSignIn(t *testing.T) {
	t.Parallel()
	b := deviceBundle{t: t, db: testdb.Pool(t)}
	ana, beto := b.person(), b.person()
	b.store(ana, account.Device{ID: "phone", Platform: "android", FCMToken: "token"}, time.Hour)
	b.store(beto, account.Device{ID: "phone", Platform: "android", FCMToken: "token"}, 0)
	b.store(beto, account.Device{ID: "phone", Platform: "android"}, 0) // no token leaves what is stored
	rows, err := b.db.Query(t.Context(), `SELECT user_id FROM devices WHERE fcm_token = 'token'`)
	if err != nil {
		t.Fatal(err)
	}
	owners, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(owners) != 1 || owners[0] != beto {
		t.Errorf("the token belongs to %v (error %v), want %s", owners, err, beto)
	}
}

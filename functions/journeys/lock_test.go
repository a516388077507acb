package journeys_test

import (
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

func TestMarkersAddedAtOnceDoNotPassTheLimitOfAJourney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	b.exec(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, happened_on)
		SELECT gen_random_uuid(), $1, $2, 'Baucau', 'past', 126.45, -8.47, '2026-01-02' FROM generate_series(1, 9999)`, id, maria.ID)
	add := func() {
		maria.call("POST", "/journeys/"+id+"/markers", past("Baucau", "2026-01-02", 126.45, -8.47))
	}
	testdb.AtOnce(t, b.db, `SELECT FROM journeys WHERE id = $1 FOR UPDATE`, []any{id}, add, add)
	if n := b.count(`SELECT count(*) FROM markers WHERE journey_id = $1`, id); n != 10000 {
		t.Errorf("%d markers, want 10000", n)
	}
}

func TestJourneysCreatedAtOnceDoNotPassTheLimitOfAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	b.exec(`INSERT INTO journeys (id, user_id, name) SELECT gen_random_uuid(), $1, 'Across the island' FROM generate_series(1, 999)`, maria.ID)
	add := func() { maria.call("POST", "/journeys/", object{"name": "One more"}) }
	testdb.AtOnce(t, b.db, `SELECT FROM users WHERE id = $1 FOR UPDATE`, []any{maria.ID}, add, add)
	if n := b.count(`SELECT count(*) FROM journeys WHERE user_id = $1`, maria.ID); n != 1000 {
		t.Errorf("%d journeys, want 1000", n)
	}
}

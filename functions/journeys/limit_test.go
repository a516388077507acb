package journeys_test

import "testing"

func TestAPersonHasAThousandJourneysAtMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	b.exec(`INSERT INTO journeys (id, user_id, name) SELECT gen_random_uuid(), $1, 'Across the island' FROM generate_series(1, 999)`, maria.ID)
	maria.journey(nil)
	maria.call("POST", "/journeys/", object{"name": "One more"}).wantCode(409, "journey_limit")
	maria.call("POST", "/journeys", object{"name": "One more"}).wantCode(409, "journey_limit")
	joao.journey(nil)
}

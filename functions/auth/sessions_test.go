package auth_test

import "testing"

// A person keeps the 50 sign-ins that were used last.
func TestTheLongestUnusedSessionsEnd(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	const old = `
		INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
		SELECT gen_random_uuid(), u.id, $1, $1::timestamptz - n * interval '1 minute', $1::timestamptz + interval '1 day'
		  FROM users u, generate_series(1, 60) n`
	now := s.clock.Now()
	if _, err := s.db.Exec(t.Context(), old, now); err != nil {
		t.Fatal(err)
	}
	if login := s.loggedIn("ana@example.tl"); !s.stands(login.text("access_token")) {
		t.Error("the new session has ended")
	}
	var standing, longUnused, tooMany int
	const count = `
		SELECT count(*) FILTER (WHERE revoked_at IS NULL),
		       count(*) FILTER (WHERE revoked_at IS NULL AND last_used_at < $1::timestamptz - interval '48 minutes'),
		       count(*) FILTER (WHERE revoked_reason = 'too_many_sessions')
		  FROM sessions`
	if err := s.db.QueryRow(t.Context(), count, now).Scan(&standing, &longUnused, &tooMany); err != nil {
		t.Fatal(err)
	}
	if standing != 50 || longUnused != 0 || tooMany != 12 {
		t.Errorf("%d sessions stand, %d of them long unused, %d have ended; want 50, 0, 12", standing, longUnused, tooMany)
	}
}

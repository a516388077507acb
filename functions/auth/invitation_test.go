package auth_test

import (
	"testing"

	"github.com/lafaekstreet/backend/infra/local/google"
)

// Signing in with Google shows that the address is the invited person's: the role takes effect, and the invited name stays.
func TestAnInvitationTakesEffectByGoogle(t *testing.T) {
	t.Parallel()
	for _, over := range []bool{false, true} {
		s := withGoogle(t)
		s.exec(`INSERT INTO users (id, email, full_name) VALUES (gen_random_uuid(), $1, 'Rui Guterres')`, hijacked)
		expires := `now() + interval '1 day'`
		if over {
			expires = `now() - interval '1 day'`
		}
		s.exec(`INSERT INTO invitations (user_id, role, full_name, token_hmac, expires_at) SELECT id, 'moderator', 'Rui Guterres', 'x', ` + expires + ` FROM users`)
		a := s.expect(s.signIn(google.Identity{Email: hijacked, Name: "Somebody Else"}), 200, "")
		want := map[bool]string{false: "moderator", true: "citizen"}[over]
		if a.user("role") != want || a.user("full_name") != "Rui Guterres" || a.user("is_verified") != true {
			t.Errorf("over: %v: signed in: %s", over, a.raw)
		}
	}
}

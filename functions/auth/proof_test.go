package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/shared/mail"
)

const (
	hijacked        = "victim@example.tl"
	victimPassword  = "rua-Aimutin-42"
	strangePassword = "mota-Loes-2030"
)

// way is one of the two ways to register: with a mailed code, or with a mailed link.
type way struct {
	name     string
	register func(s *system, name, password string) answer
	// proof is what the newest mail of this way holds.
	proof   func(s *system) string
	confirm func(s *system, proof string) answer
}

func ways() []way {
	return []way{
		{"code", func(s *system, name, password string) answer {
			return s.post("/auth/register", fields{"email": hijacked, "password": password, "full_name": name})
		}, func(s *system) string { return s.newest(mail.RegistrationCode).Params["code"] }, func(s *system, proof string) answer {
			return s.post("/auth/verify-otp", fields{"email": hijacked, "otp": proof})
		}},
		{"link", func(s *system, name, password string) answer {
			return s.post("/users/register", fields{"email": hijacked, "password": password, "name": name})
		}, func(s *system) string {
			_, token, _ := strings.Cut(s.newest(mail.VerifyLink).Params["link"], "token=")
			return token
		}, func(s *system, proof string) answer {
			return s.do(request{method: http.MethodGet, path: "/users/verify-email?token=" + proof})
		}},
	}
}

// newest is the newest mail of a template to the victim.
func (s *system) newest(template mail.Template) mail.Message {
	s.t.Helper()
	var found mail.Message
	for _, m := range s.mails(hijacked) {
		if m.Template == template {
			found = m
		}
	}
	if found.To == "" {
		s.t.Fatalf("no mail %s", template)
	}
	return found
}

// signsIn reports whether a password opens the account, in either way to sign in.
func (s *system) signsIn(password string) bool {
	s.t.Helper()
	login := s.post("/auth/login", fields{"email": hijacked, "password": password}).status
	token := s.do(request{path: "/auth/token", form: url.Values{"username": {hijacked}, "password": {password}}}).status
	return login == 200 || token == 200
}

// The owner of an address and a stranger register it at the same time. What was mailed for one of them never confirms the
// password of the other.
func TestACodeOrLinkConfirmsThePasswordItWasMailedFor(t *testing.T) {
	t.Parallel()
	for _, victims := range ways() {
		for _, strangers := range ways() {
			t.Run("victim by "+victims.name+", then stranger by "+strangers.name, func(t *testing.T) {
				t.Parallel()
				s := newSystem(t, unlimited())
				s.expect(victims.register(s, "Ana Santos", victimPassword), 201, "")
				proof := victims.proof(s)
				s.expect(strangers.register(s, "Mallory", strangePassword), 201, "")
				all := s.mails(hijacked)
				if len(all) != 2 || all[1].Params["name"] != "Mallory" {
					t.Errorf("mails: %+v; want a second one at once, with the name that was given", all)
				}
				if a := victims.confirm(s, proof); a.status != 400 {
					t.Errorf("what was mailed for the other password: %d %s", a.status, a.raw)
				}
				if s.signsIn(strangePassword) || s.signsIn(victimPassword) {
					t.Error("the account is open")
				}
				// The victim registers again, and that is what counts.
				s.expect(victims.register(s, "Ana Santos", victimPassword), 201, "")
				s.expect(victims.confirm(s, victims.proof(s)), 200, "")
				if s.signsIn(strangePassword) || !s.signsIn(victimPassword) {
					t.Error("the wrong password opens the account")
				}
			})
			t.Run("stranger by "+strangers.name+", then victim by "+victims.name, func(t *testing.T) {
				t.Parallel()
				s := newSystem(t, unlimited())
				s.expect(strangers.register(s, "Mallory", strangePassword), 201, "")
				before := strangers.proof(s)
				s.expect(victims.register(s, "Ana Santos", victimPassword), 201, "")
				if before != strangers.proof(s) && victims.name != strangers.name {
					t.Error("the stranger's mail was replaced")
				}
				if a := strangers.confirm(s, before); a.status != 400 {
					t.Errorf("what was mailed for the other password: %d %s", a.status, a.raw)
				}
				s.expect(victims.confirm(s, victims.proof(s)), 200, "")
				if s.signsIn(strangePassword) || !s.signsIn(victimPassword) {
					t.Error("the wrong password opens the account")
				}
			})
		}
	}
}

// What is mailed again speaks of the newest registration.
func TestAMailThatIsAskedForAgainSpeaksOfTheNewestRegistration(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	code := ways()[0]
	s.expect(code.register(s, "Ana Santos", victimPassword), 201, "")
	first := code.proof(s)
	s.expect(code.register(s, "Mallory", strangePassword), 201, "")
	s.clock.Advance(61 * time.Second)
	s.expect(s.post("/auth/resend-otp", fields{"email": hijacked}), 200, "")
	s.expect(s.post("/users/resend-verification", fields{"email": hijacked}), 202, "")
	for _, template := range []mail.Template{mail.RegistrationCode, mail.VerifyLink} {
		if m := s.newest(template); m.Params["name"] != "Mallory" {
			t.Errorf("%s is for %q", template, m.Params["name"])
		}
	}
	if first != code.proof(s) {
		s.expect(code.confirm(s, first), 400, "")
	}
}

func TestTheSameRegistrationAgainMailsOnce(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, unlimited())
			for range 3 {
				s.expect(w.register(s, "Ana Santos", victimPassword), 201, "")
			}
			if n := len(s.mails(hijacked)); n != 1 {
				t.Errorf("%d mails within the minute, want 1", n)
			}
			s.clock.Advance(61 * time.Second)
			s.expect(w.register(s, "Ana Santos", victimPassword), 201, "")
			if n := len(s.mails(hijacked)); n != 2 {
				t.Errorf("%d mails after the minute, want 2", n)
			}
			s.expect(w.confirm(s, w.proof(s)), 200, "")
		})
	}
}

// A registration that no mail can be sent for changes nothing: what was mailed before stays valid.
func TestARegistrationBeyondTheHoursLimitChangesNothing(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, unlimited())
			for i := range 4 {
				s.expect(w.register(s, "Mallory", strangePassword+string(rune('a'+i))), 201, "")
			}
			s.expect(w.register(s, "Ana Santos", victimPassword), 201, "")
			s.expect(w.register(s, "Ana Santos", victimPassword), 201, "") // a repeat, within the minute
			proof := w.proof(s)
			for range 2 {
				s.expect(w.register(s, "Mallory", strangePassword), 429, "rate_limited")
			}
			a := s.expect(w.confirm(s, proof), 200, "")
			if s.signsIn(strangePassword) || !s.signsIn(victimPassword) {
				t.Errorf("the wrong password opens the account: %s", a.raw)
			}
		})
	}
}

// Codes and links that an earlier version mailed stay valid while the account has not changed since.
func TestMailsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		for _, again := range []bool{false, true} {
			name := w.name
			if again {
				name += ", registered again since"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newSystem(t, unlimited())
				s.expect(w.register(s, "Ana Santos", victimPassword), 201, "")
				proof := w.proof(s)
				s.exec(`UPDATE one_time_codes SET proves = NULL, asked_by = NULL, digits = NULL`)
				s.exec(`UPDATE users SET updated_at = $1`, s.clock.Now()) // the database's clock has gone on

				if w.name == "link" { // its id was random
					var user uuid.UUID
					if err := s.db.QueryRow(t.Context(), `SELECT id FROM users WHERE email = $1`, hijacked).Scan(&user); err != nil {
						t.Fatal(err)
					}
					proof = (&victim{system: s}).signed(scopeVerify, user)
				}
				if again { // as an earlier version did it: no second mail within the minute
					s.exec(`UPDATE users SET password_hash = 'x', updated_at = $1`, s.clock.Now().Add(30*time.Second))
				}
				a := w.confirm(s, proof)
				if !again && a.status != 200 || again && a.status != 400 {
					t.Errorf("%d %s", a.status, a.raw)
				}
			})
		}
	}
}

// A mail repeats the name that was registered. A stranger may have chosen it, so no part of it becomes a link.
func TestANameInAMailIsNoLink(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.expect(ways()[0].register(s, "Ana win at https://evil.example/now?x=1 "+strings.Repeat("a", 60), victimPassword), 201, "")
	name := s.newest(mail.RegistrationCode).Params["name"]
	if strings.ContainsAny(name, ":/.?@1") || len([]rune(name)) > 61 || !strings.HasPrefix(name, "Ana win at https evil example") {
		t.Errorf("name in the mail: %q", name)
	}
}

// Linking Google to an unconfirmed account removes all that the account had before. A stranger may have registered it.
func TestGoogleForgetsWhatAnUnconfirmedAccountHad(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	s.expect(s.post("/users/register", fields{"email": hijacked, "password": strangePassword, "name": "Mallory", "phonenumber": "+67077000000",
		"country": "X", "instagram": "mallory"}), 201, "")
	_, link, _ := strings.Cut(s.newest(mail.VerifyLink).Params["link"], "token=")
	a := s.expect(s.signIn(google.Identity{Email: hijacked, Name: "Ana Santos"}), 200, "")
	if a.user("full_name") != "Ana Santos" || a.user("phone_number") != nil || a.user("instagram") != nil || a.user("country") != nil {
		t.Errorf("linked: %s", a.raw)
	}
	s.do(request{method: http.MethodGet, path: "/users/verify-email?token=" + link})
	if s.signsIn(strangePassword) {
		t.Error("the stranger's password opens the account")
	}
}

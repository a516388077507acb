package acceptance

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/infra/local/world"
	"github.com/lafaekstreet/backend/shared/config"
)

// The faults of the replaced backend that accounts are about, by the names of
// the notes. Those of journeys and markers are in functions/journeys.

func TestS01NoAccountCanBeTakenOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	victim, mallory := s.rider("heidi"), s.rider("mallory")
	seen := mallory.get("/users/" + victim.id).want(200)
	if strings.Contains(string(seen.body), victim.email) {
		t.Errorf("others see the address: %s", seen.body)
	}
	profile := seen.object()
	profile["email"] = mallory.email
	mallory.json("PUT", "/users/"+victim.id, profile).want(403)
	if me := victim.get("/users/me").want(200).object(); me["email"] != victim.email {
		t.Errorf("the address became %v", me["email"])
	}
	mine := mallory.get("/users/me").want(200).object()
	mine["password"] = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
	mallory.json("PUT", "/users/"+mallory.id, mine).want(400)
}

func TestS02NobodyDeletesAnotherAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	victim, mallory := s.rider("heidi"), s.rider("mallory")
	mallory.call("DELETE", "/users/"+victim.id, "", nil).want(403)
	victim.get("/users/me").want(200)
}

func TestS04NoAnswerCarriesAPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	for _, a := range []*answer{b.get("/users/me"), other.get("/users/" + b.id), b.login(), b.json("PATCH", "/users/me", object{"country": "CH"}), b.get("/users/me/export")} {
		for _, word := range []string{"$argon2", "password_hash", `"password"`, password} {
			if strings.Contains(string(a.want(200).body), word) {
				t.Errorf("an answer has %q: %s", word, a.body)
			}
		}
	}
}

func TestS05AddressAndPhoneAreNotEverybodys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	b.json("PATCH", "/users/me", object{"phone_number": "+67077000000"}).want(200)
	body := string(other.get("/users/" + b.id).want(200).body)
	if strings.Contains(body, b.email) || strings.Contains(body, "77000000") {
		t.Errorf("others read %s", body)
	}
}

func TestS06RolesAndVerificationAreNotTheClientsToSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.email = "heidi@example.org"
	b.json("POST", "/users/register", object{"name": "Heidi", "email": b.email, "password": password, "is_verified": true, "role": "admin", "_id": "x"}).want(201)
	if a := b.loginWith(password); a.status == 200 {
		t.Error("an unverified account signed in")
	}
	b.get("/users/verify-email?token=" + url.QueryEscape(s.mailed(b.email, "/verify"))).want(200)
	b.login().want(200)
	me := b.get("/users/me").want(200).object()
	me["role"], me["is_verified"], me["_id"] = "admin", false, "01900000-0000-7000-8000-000000000000"
	after := b.json("PUT", "/users/"+b.id, me).want(200).object()
	if after["role"] != "citizen" || after["is_verified"] != true || after["_id"] != b.id {
		t.Errorf("the profile became %v", after)
	}
}

func TestS07MailedAndRefreshTokensOpenNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	verify := s.mailed(b.email, "/verify")
	b.call("POST", "/users/reset-password?email="+b.email, "", nil).want(202)
	for _, token := range []string{b.refresh, verify, s.mailed(b.email, "/reset-password")} {
		b.access = token
		b.get("/users/me").want(401)
	}
	reset := url.QueryEscape(s.mailed(b.email, "/reset-password"))
	b.access = ""
	b.get("/users/verify-email?token=" + reset).want(400)
	b.call("POST", "/users/update-password?new_password=down-the-Valley-8&token="+url.QueryEscape(verify), "", nil).want(400)
}

func TestS08AnUnverifiedAccountDoesNotSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.email = "heidi@example.org"
	b.json("POST", "/users/register", object{"name": "Heidi", "email": b.email, "password": password}).want(201)
	if a := b.loginWith(password); a.status != 400 && a.status != 403 {
		t.Errorf("signing in unverified is %d: %s", a.status, a.body)
	}
	b.json("POST", "/auth/login", object{"email": b.email, "password": password}).want(403)
}

func TestS09TokensEndWithWhatTheyStandFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	for name, end := range map[string]func(b *browser){
		"logout":   func(b *browser) { b.json("POST", "/auth/logout", object{"all_devices": true}).want(200) },
		"deletion": func(b *browser) { b.call("DELETE", "/users/"+b.id, "", nil).want(200) },
		"reset": func(b *browser) {
			b.call("POST", "/users/reset-password?email="+b.email, "", nil).want(202)
			b.json("POST", "/users/update-password", object{"token": s.mailed(b.email, "/reset-password"), "new_password": "down-the-Valley-8"}).want(200)
		},
	} {
		b := s.rider(name)
		end(b)
		b.get("/users/me").want(401)
		b.get("/users/" + b.id + "/journeys").want(401)
		b.access = ""
		b.json("POST", "/auth/refresh", object{"refresh_token": b.refresh}).want(401)
	}
}

func TestS10AResetLinkWorksOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.call("POST", "/users/reset-password?email="+b.email, "", nil).want(202)
	token := s.mailed(b.email, "/reset-password")
	b.json("POST", "/users/update-password", object{"token": token, "new_password": "down-the-Valley-8"}).want(200)
	b.json("POST", "/users/update-password", object{"token": token, "new_password": "up-the-Mountain-7"}).want(400)
	b.loginWith("down-the-Valley-8").want(200)
}

func TestS11SecretsNeedNotTravelInAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.json("POST", "/users/reset-password", object{"email": b.email}).want(202)
	token := s.mailed(b.email, "/reset-password")
	b.json("POST", "/users/update-password", object{"token": token, "new_password": "down-the-Valley-8"}).want(200)
	b.loginWith("down-the-Valley-8").want(200)
	b.keep(b.json("POST", "/auth/refresh", object{"refresh_token": b.refresh}).want(200))
}

func TestS12WithoutKeysNothingStarts(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	for _, missing := range []string{"TOKEN_SIGNING_KEY", "SEAL_KEYS", "TOKEN_PUBLIC_KEYS"} {
		env := config.Env{}
		for name, value := range w.Env {
			env[name] = value
		}
		env["TOKEN_SIGNING_KEY"], env["SEAL_KEYS"] = w.Signer.SigningKey(), "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="
		env[missing] = ""
		if _, err := auth.Open(t.Context(), env); err == nil {
			t.Errorf("auth starts without %s", missing)
		}
	}
}

func TestS13GuessingAndMailBombingAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	limited := false
	for range 30 {
		if b.loginWith("wrong-Password-1").status == 429 {
			limited = true
			break
		}
	}
	if !limited {
		t.Error("30 wrong passwords were all looked at")
	}
	other := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	u := other.rider("ueli")
	before := other.Int(`SELECT count(*) FROM outbox WHERE queue = 'notify'`)
	for range 20 {
		u.call("POST", "/users/reset-password?email="+u.email, "", nil)
	}
	if sent := other.Int(`SELECT count(*) FROM outbox WHERE queue = 'notify'`) - before; sent > 5 {
		t.Errorf("20 requests sent %d mails", sent)
	}
}

func TestS14KnownAndUnknownAddressesLookTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	again := b.json("POST", "/users/register", object{"name": "x", "email": b.email, "password": password}).want(201)
	fresh := b.json("POST", "/users/register", object{"name": "x", "email": "new@example.org", "password": password}).want(201)
	if string(again.body) != string(fresh.body) {
		t.Errorf("registering answers %s and %s", again.body, fresh.body)
	}
	wrong := b.loginWith("wrong-Password-1").want(400).object()
	b.email = "nobody@example.org"
	unknown := b.loginWith("wrong-Password-1").want(400).object()
	if wrong["code"] != unknown["code"] || wrong["detail"] != unknown["detail"] {
		t.Errorf("signing in answers %v and %v", wrong, unknown)
	}
}

func TestS15PasswordsHaveRulesAndAreNeverEchoedOrCut(t *testing.T) {
	t.Parallel()
	s := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	b := s.browser()
	for _, weak := range []string{"", "short1", "password", "weak@example.org", strings.Repeat("x", 2000)} {
		a := b.json("POST", "/users/register", object{"name": "x", "email": "weak@example.org", "password": weak}).want(422)
		if weak != "" && weak != "password" && strings.Contains(string(a.body), weak) {
			t.Errorf("the answer echoes the password: %s", a.body)
		}
	}
	long := strings.Repeat("0123456789-Way", 6) // 84 bytes, more than bcrypt ever read
	b.email = "long@example.org"
	b.json("POST", "/users/register", object{"name": "x", "email": b.email, "password": long}).want(201)
	b.get("/users/verify-email?token=" + url.QueryEscape(s.mailed(b.email, "/verify"))).want(200)
	b.loginWith(long[:72]).want(400)
	b.loginWith(long).want(200)
}

// What the functions are configured with stays inside. That it comes from Secrets
// Manager, not from plain variables, the tests of the stacks hold.
func TestS19NoAnswerCarriesAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, b := range []*browser{s.browser(), s.rider("heidi")} {
		for _, path := range []string{"/users/me", "/openapi.json", "/"} {
			body := string(b.get(path).body)
			for _, name := range []string{"TOKEN_SIGNING_KEY", "SEAL_KEYS", "DATABASE_URL"} {
				if strings.Contains(body, s.Env[name]) {
					t.Errorf("%s gives %s away", path, name)
				}
			}
		}
	}
}

func TestB09OneAccountAnAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	var running sync.WaitGroup
	for _, address := range []string{"heidi@example.org", "Heidi@Example.org", "HEIDI@EXAMPLE.ORG", "heidi@example.org"} {
		running.Go(func() {
			s.browser().json("POST", "/users/register", object{"name": "x", "email": address, "password": password}).want(201)
		})
	}
	running.Wait()
	if n := s.Int(`SELECT count(*) FROM users WHERE email = 'heidi@example.org'`); n != 1 {
		t.Errorf("%d accounts", n)
	}
	other := s.rider("ueli")
	me := other.get("/users/me").want(200).object()
	me["email"] = "heidi@example.org"
	other.json("PUT", "/users/"+other.id, me)
	if n := s.Int(`SELECT count(*) FROM users WHERE email = 'heidi@example.org'`); n != 1 {
		t.Errorf("%d accounts after a change of address", n)
	}
}

// No mail server runs in this world: whoever waited for one would fail.
func TestB13NoRequestWaitsForMail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.json("POST", "/users/register", object{"name": "x", "email": "heidi@example.org", "password": password}).want(201)
	if n := s.Int(`SELECT count(*) FROM outbox WHERE queue = 'notify'`); n != 1 {
		t.Errorf("%d mails wait to be sent", n)
	}
}

func TestB14TheRefreshTokenIsReadWhereverClientsPutIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.access = ""
	b.keep(b.json("POST", "/auth/refresh", object{"refresh_token": b.refresh}).want(200))
	b.keep(b.form("/auth/refresh", url.Values{"refresh_token": {b.refresh}}).want(200))
	b.keep(b.multipart("/auth/refresh", map[string]string{"refresh_token": b.refresh}).want(200))
	b.keep(b.call("POST", "/auth/refresh?refresh_token="+url.QueryEscape(b.refresh), "", nil).want(200))
	b.get("/users/me").want(200)
}

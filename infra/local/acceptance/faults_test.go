package acceptance

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
)

// The faults of the replaced backend in its accounts, by their numbers. The faults in
// journeys and markers are in functions/journeys.

func TestS01NoAccountCanBeTakenOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	victim, mallory := s.rider("heidi"), s.rider("mallory")
	seen := mallory.Get("/users/" + victim.id).Want(200)
	if strings.Contains(string(seen.Body), victim.email) {
		t.Errorf("others see the address: %s", seen.Body)
	}
	profile := seen.Object().Values
	profile["email"] = mallory.email
	mallory.Do("PUT", "/users/"+victim.id, profile).Want(403)
	if me := victim.Get("/users/me").Want(200).Object().Values; me["email"] != victim.email {
		t.Errorf("the address became %v", me["email"])
	}
	mine := mallory.Get("/users/me").Want(200).Object().Values
	mine["password"] = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
	mallory.Do("PUT", "/users/"+mallory.id, mine).Want(400)
}

func TestS02NobodyDeletesAnotherAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	victim, mallory := s.rider("heidi"), s.rider("mallory")
	mallory.Do("DELETE", "/users/"+victim.id, nil).Want(403)
	victim.Get("/users/me").Want(200)
}

func TestS04NoAnswerCarriesAPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	for _, a := range []apiclient.TestResponse{b.Get("/users/me"), other.Get("/users/" + b.id), b.login(), b.Do("PATCH", "/users/me", object{"country": "CH"}), b.Get("/users/me/export")} {
		for _, word := range []string{"$argon2", "password_hash", `"password"`, password} {
			if strings.Contains(string(a.Want(200).Body), word) {
				t.Errorf("an answer has %q: %s", word, a.Body)
			}
		}
	}
}

func TestS05AddressAndPhoneAreNotEverybodys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	b.Do("PATCH", "/users/me", object{"phone_number": "+67077000000"}).Want(200)
	body := string(other.Get("/users/" + b.id).Want(200).Body)
	if strings.Contains(body, b.email) || strings.Contains(body, "77000000") {
		t.Errorf("others read %s", body)
	}
}

func TestS06RolesAndVerificationAreNotTheClientsToSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.email = "heidi@example.org"
	b.Do("POST", "/users/register", object{"name": "Heidi", "email": b.email, "password": password, "is_verified": true, "role": "admin", "_id": "x"}).Want(201)
	if a := b.loginWith(password); a.Status == 200 {
		t.Error("an unverified account signed in")
	}
	b.Get("/users/verify-email?token=" + url.QueryEscape(s.mailed(b.email, "/verify"))).Want(200)
	b.login().Want(200)
	me := b.Get("/users/me").Want(200).Object().Values
	me["role"], me["is_verified"], me["_id"] = "admin", false, "01900000-0000-7000-8000-000000000000"
	after := b.Do("PUT", "/users/"+b.id, me).Want(200).Object().Values
	if after["role"] != "citizen" || after["is_verified"] != true || after["_id"] != b.id {
		t.Errorf("the profile became %v", after)
	}
}

func TestS07MailedAndRefreshTokensOpenNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	verify := s.mailed(b.email, "/verify")
	b.Do("POST", "/users/reset-password?email="+b.email, nil).Want(202)
	for _, token := range []string{b.refresh, verify, s.mailed(b.email, "/reset-password")} {
		b.Token = token
		b.Get("/users/me").Want(401)
	}
	reset := url.QueryEscape(s.mailed(b.email, "/reset-password"))
	b.Token = ""
	b.Get("/users/verify-email?token=" + reset).Want(400)
	b.Do("POST", "/users/update-password?new_password=down-the-Valley-8&token="+url.QueryEscape(verify), nil).Want(400)
}

func TestS08AnUnverifiedAccountDoesNotSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.email = "heidi@example.org"
	b.Do("POST", "/users/register", object{"name": "Heidi", "email": b.email, "password": password}).Want(201)
	if a := b.loginWith(password); a.Status != 400 && a.Status != 403 {
		t.Errorf("signing in unverified is %d: %s", a.Status, a.Body)
	}
	b.Do("POST", "/auth/login", object{"email": b.email, "password": password}).Want(403)
}

func TestS09TokensEndWithWhatTheyStandFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	for name, end := range map[string]func(b *browser){
		"logout":   func(b *browser) { b.Do("POST", "/auth/logout", object{"all_devices": true}).Want(200) },
		"deletion": func(b *browser) { b.Do("DELETE", "/users/"+b.id, nil).Want(200) },
		"reset": func(b *browser) {
			b.Do("POST", "/users/reset-password?email="+b.email, nil).Want(202)
			b.Do("POST", "/users/update-password", object{"token": s.mailed(b.email, "/reset-password"), "new_password": "down-the-Valley-8"}).Want(200)
		},
	} {
		b := s.rider(name)
		end(b)
		b.Get("/users/me").Want(401)
		b.Get("/users/" + b.id + "/journeys").Want(401)
		b.Token = ""
		b.Do("POST", "/auth/refresh", object{"refresh_token": b.refresh}).Want(401)
	}
}

func TestS10AResetLinkWorksOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.Do("POST", "/users/reset-password?email="+b.email, nil).Want(202)
	token := s.mailed(b.email, "/reset-password")
	b.Do("POST", "/users/update-password", object{"token": token, "new_password": "down-the-Valley-8"}).Want(200)
	b.Do("POST", "/users/update-password", object{"token": token, "new_password": "up-the-Mountain-7"}).Want(400)
	b.loginWith("down-the-Valley-8").Want(200)
}

func TestS11SecretsNeedNotTravelInAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.Do("POST", "/users/reset-password", object{"email": b.email}).Want(202)
	token := s.mailed(b.email, "/reset-password")
	b.Do("POST", "/users/update-password", object{"token": token, "new_password": "down-the-Valley-8"}).Want(200)
	b.loginWith("down-the-Valley-8").Want(200)
	b.keep(b.Do("POST", "/auth/refresh", object{"refresh_token": b.refresh}).Want(200))
}

func TestS12WithoutKeysNothingStarts(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
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
		if b.loginWith("wrong-Password-1").Status == 429 {
			limited = true
			break
		}
	}
	if !limited {
		t.Error("30 wrong passwords in a row were all checked")
	}
	other := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	u := other.rider("ueli")
	before := other.Int(`SELECT count(*) FROM outbox WHERE queue = 'notify'`)
	for range 20 {
		u.Do("POST", "/users/reset-password?email="+u.email, nil)
	}
	if sent := other.Int(`SELECT count(*) FROM outbox WHERE queue = 'notify'`) - before; sent > 5 {
		t.Errorf("20 requests sent %d mails", sent)
	}
}

func TestS14KnownAndUnknownAddressesLookTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	again := b.Do("POST", "/users/register", object{"name": "x", "email": b.email, "password": password}).Want(201)
	fresh := b.Do("POST", "/users/register", object{"name": "x", "email": "new@example.org", "password": password}).Want(201)
	if string(again.Body) != string(fresh.Body) {
		t.Errorf("registering answers %s and %s", again.Body, fresh.Body)
	}
	wrong := b.loginWith("wrong-Password-1").Want(400).Object().Values
	b.email = "nobody@example.org"
	unknown := b.loginWith("wrong-Password-1").Want(400).Object().Values
	if wrong["code"] != unknown["code"] || wrong["detail"] != unknown["detail"] {
		t.Errorf("signing in answers %v and %v", wrong, unknown)
	}
}

func TestS15PasswordsHaveRulesAndAreNeverEchoedOrCut(t *testing.T) {
	t.Parallel()
	s := newSite(t, "RATE_LIMIT_AUTH_PER_MINUTE", "1000")
	b := s.browser()
	for _, weak := range []string{"", "short1", "password", "weak@example.org", strings.Repeat("x", 2000)} {
		a := b.Do("POST", "/users/register", object{"name": "x", "email": "weak@example.org", "password": weak}).Want(422)
		if weak != "" && weak != "password" && strings.Contains(string(a.Body), weak) {
			t.Errorf("the answer echoes the password: %s", a.Body)
		}
	}
	long := strings.Repeat("0123456789-Way", 6) // 84 bytes, more than bcrypt ever read
	b.email = "long@example.org"
	b.Do("POST", "/users/register", object{"name": "x", "email": b.email, "password": long}).Want(201)
	b.Get("/users/verify-email?token=" + url.QueryEscape(s.mailed(b.email, "/verify"))).Want(200)
	b.loginWith(long[:72]).Want(400)
	b.loginWith(long).Want(200)
}

// No answer contains a secret of the configuration. The tests of the stacks check that
// secrets come from Secrets Manager and not from plain variables.
func TestS19NoAnswerCarriesAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, b := range []*browser{s.browser(), s.rider("heidi")} {
		for _, path := range []string{"/users/me", "/openapi.json", "/"} {
			body := string(b.Get(path).Body)
			for _, name := range []string{"TOKEN_SIGNING_KEY", "SEAL_KEYS", "DATABASE_URL"} {
				if strings.Contains(body, s.Env[name]) {
					t.Errorf("the answer of %s contains %s", path, name)
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
			s.browser().Do("POST", "/users/register", object{"name": "x", "email": address, "password": password}).Want(201)
		})
	}
	running.Wait()
	if n := s.Int(`SELECT count(*) FROM users WHERE email = 'heidi@example.org'`); n != 1 {
		t.Errorf("%d accounts", n)
	}
	other := s.rider("ueli")
	me := other.Get("/users/me").Want(200).Object().Values
	me["email"] = "heidi@example.org"
	other.Do("PUT", "/users/"+other.id, me)
	if n := s.Int(`SELECT count(*) FROM users WHERE email = 'heidi@example.org'`); n != 1 {
		t.Errorf("%d accounts after a change of address", n)
	}
}

// This test has no mail server: a request that waits for one would fail.
func TestB13NoRequestWaitsForMail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.Do("POST", "/users/register", object{"name": "x", "email": "heidi@example.org", "password": password}).Want(201)
	if n := s.Int(`SELECT count(*) FROM outbox WHERE queue = 'notify'`); n != 1 {
		t.Errorf("%d mails wait to be sent", n)
	}
}

func TestB14TheRefreshTokenIsReadWhereverClientsPutIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.Token = ""
	b.keep(b.Do("POST", "/auth/refresh", object{"refresh_token": b.refresh}).Want(200))
	b.keep(b.Post("/auth/refresh", url.Values{"refresh_token": {b.refresh}}).Want(200))
	b.keep(b.Post("/auth/refresh", apiclient.Form{Fields: map[string]string{"refresh_token": b.refresh}}).Want(200))
	b.keep(b.Do("POST", "/auth/refresh?refresh_token="+url.QueryEscape(b.refresh), nil).Want(200))
	b.Get("/users/me").Want(200)
}

package auth_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
)

// victim is a system with one account, which is attacked.
type victim struct {
	*system
	address string
	access  string
	refresh string
	user    uuid.UUID
	session uuid.UUID
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	// The limits are off, so that the code under attack answers each guess.
	s := newSystem(t, config.Env{"RATE_LIMIT_AUTH_PER_MINUTE": "1000", "RATE_LIMIT_ADDRESS_PER_MINUTE": "1000"})
	v := &victim{system: s, address: "ana@example.tl"}
	a := s.signedUp(v.address)
	v.access, v.refresh = a.text("access_token"), a.text("refresh_token")
	var c identity.Claims
	if _, _, err := jwt.NewParser().ParseUnverified(v.access, &c); err != nil {
		t.Fatal(err)
	}
	v.user, v.session = uuid.MustParse(c.Subject), uuid.MustParse(c.SessionID)
	return v
}

// claims are what the victim's own token says, for spoiling.
func (v *victim) claims() identity.Claims {
	return identitytest.Claims(v.clock.Now(), v.user, identity.Citizen, v.session)
}

// bearer tries a token on a route that wants one.
func (v *victim) bearer(token string) answer {
	v.t.Helper()
	return v.do(request{path: "/auth/logout", token: token})
}

// link is the token of the newest mailed link.
func (v *victim) link(template mail.Template) string {
	v.t.Helper()
	address, err := url.Parse(v.lastMail(v.address, template).Params["link"])
	if err != nil {
		v.t.Fatal(err)
	}
	return address.Query().Get("token")
}

func unsigned(header map[string]any, c identity.Claims) string {
	h, errHeader := json.Marshal(header)
	body, errBody := json.Marshal(c)
	if errHeader != nil || errBody != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
}

// Attacks, and the answers they get. Each starts from a system of its own with
// one account in it.
func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, attack := range []struct {
		name   string
		do     func(v *victim) answer
		status int
		code   string
	}{
		// Access tokens
		{"no token", func(v *victim) answer { return v.bearer("") }, 401, "token_missing"},
		{"garbage", func(v *victim) answer { return v.bearer("a.b.c") }, 401, "token_invalid"},
		{"alg none", func(v *victim) answer {
			return v.bearer(unsigned(map[string]any{"alg": "none", "typ": "JWT"}, v.claims()))
		}, 401, "token_invalid"},
		{"alg None, in other letters, with the key id", func(v *victim) answer {
			return v.bearer(unsigned(map[string]any{"alg": "nOnE", "kid": v.keyID()}, v.claims()))
		}, 401, "token_invalid"},
		{"HS256 under the public key", func(v *victim) answer {
			token := jwt.NewWithClaims(jwt.SigningMethodHS256, v.claims())
			token.Header["kid"] = v.keyID()
			signed, err := token.SignedString([]byte(v.publicKey()))
			if err != nil {
				v.t.Fatal(err)
			}
			return v.bearer(signed)
		}, 401, "token_invalid"},
		{"a key of one's own under the known key id", func(v *victim) answer {
			_, own, err := ed25519.GenerateKey(nil)
			if err != nil {
				v.t.Fatal(err)
			}
			token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, v.claims())
			token.Header["kid"] = v.keyID()
			signed, err := token.SignedString(own)
			if err != nil {
				v.t.Fatal(err)
			}
			return v.bearer(signed)
		}, 401, "token_invalid"},
		{"a key of one's own in the header", func(v *victim) answer {
			own, private, err := ed25519.GenerateKey(nil)
			if err != nil {
				v.t.Fatal(err)
			}
			token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, v.claims())
			token.Header["jwk"] = map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(own)}
			signed, err := token.SignedString(private)
			if err != nil {
				v.t.Fatal(err)
			}
			return v.bearer(signed)
		}, 401, "token_invalid"},
		{"a tampered role", func(v *victim) answer {
			parts := strings.Split(v.access, ".")
			c := v.claims()
			c.Role = identity.Admin
			body, err := json.Marshal(c)
			if err != nil {
				v.t.Fatal(err)
			}
			return v.bearer(parts[0] + "." + base64.RawURLEncoding.EncodeToString(body) + "." + parts[2])
		}, 401, "token_invalid"},
		{"expired", func(v *victim) answer {
			v.clock.Advance(time.Hour + 6*time.Second)
			return v.bearer(v.access)
		}, 401, "token_expired"},
		{"expired, signed by somebody else", func(v *victim) answer {
			c := v.claims()
			c.ExpiresAt = jwt.NewNumericDate(v.clock.Now().Add(-time.Hour))
			return v.bearer(identitytest.New(v.t).Sign(c))
		}, 401, "token_invalid"},
		{"issued in the future", func(v *victim) answer {
			c := v.claims()
			c.IssuedAt = jwt.NewNumericDate(v.clock.Now().Add(time.Hour))
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"wrong audience", func(v *victim) answer {
			c := v.claims()
			c.Audience = jwt.ClaimStrings{"another-service"}
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"wrong issuer", func(v *victim) answer {
			c := v.claims()
			c.Issuer = "https://evil.example"
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"wrong scope", func(v *victim) answer {
			c := v.claims()
			c.Scope = "reset_password"
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"no session in it", func(v *victim) answer {
			c := v.claims()
			c.SessionID = ""
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"a session that never was", func(v *victim) answer {
			c := v.claims()
			c.SessionID = uuid.NewString()
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"somebody else's session", func(v *victim) answer {
			c := v.claims()
			c.Subject = uuid.NewString()
			return v.bearer(v.signer.Sign(c))
		}, 401, "token_invalid"},
		{"after logging out", func(v *victim) answer {
			v.expect(v.bearer(v.access), 200, "")
			return v.bearer(v.access)
		}, 401, "token_invalid"},
		{"the refresh token as access token", func(v *victim) answer { return v.bearer(v.refresh) }, 401, "token_invalid"},
		{"a mailed link as access token", func(v *victim) answer {
			v.expect(v.post("/users/reset-password", fields{"email": v.address}), 202, "")
			return v.bearer(v.link(mail.ResetLink))
		}, 401, "token_invalid"},
		{"a role one does not have, in a token well signed", func(v *victim) answer {
			c := v.claims()
			c.Role, c.SecondFactor = identity.Admin, true
			return v.do(request{path: "/auth/totp/enroll", token: v.signer.Sign(c)})
		}, 403, "forbidden"},
		{"five kilobytes of token", func(v *victim) answer { return v.bearer(strings.Repeat("a", 5000)) }, 401, "token_invalid"},

		// Refresh tokens
		{"the access token as refresh token", func(v *victim) answer {
			return v.post("/auth/refresh", fields{"refresh_token": v.access})
		}, 401, "token_invalid"},
		{"a guess", func(v *victim) answer {
			return v.post("/auth/refresh", fields{"refresh_token": strings.Repeat("A", 43)})
		}, 401, "token_invalid"},
		{"a replay after the grace", func(v *victim) answer {
			v.expect(v.post("/auth/refresh", fields{"refresh_token": v.refresh}), 200, "")
			v.clock.Advance(61 * time.Second)
			return v.post("/auth/refresh", fields{"refresh_token": v.refresh})
		}, 401, "token_reused"},
		{"what the thief got, once the replay was seen", func(v *victim) answer {
			stolen := v.expect(v.post("/auth/refresh", fields{"refresh_token": v.refresh}), 200, "").text("refresh_token")
			v.clock.Advance(time.Hour)
			v.expect(v.post("/auth/refresh", fields{"refresh_token": v.refresh}), 401, "token_reused")
			return v.post("/auth/refresh", fields{"refresh_token": stolen})
		}, 401, "token_invalid"},
		{"the grandparent within the grace", func(v *victim) answer {
			child := v.expect(v.post("/auth/refresh", fields{"refresh_token": v.refresh}), 200, "").text("refresh_token")
			v.expect(v.post("/auth/refresh", fields{"refresh_token": child}), 200, "")
			return v.post("/auth/refresh", fields{"refresh_token": v.refresh})
		}, 401, "token_reused"},
		{"after sixty days of rest", func(v *victim) answer {
			v.clock.Advance(60*24*time.Hour + time.Second)
			return v.post("/auth/refresh", fields{"refresh_token": v.refresh})
		}, 401, "token_expired"},
		{"after a suspension", func(v *victim) answer {
			v.exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, v.user)
			return v.post("/auth/refresh", fields{"refresh_token": v.refresh})
		}, 401, "token_invalid"},
		{"after the password was reset", func(v *victim) answer {
			v.expect(v.post("/auth/forgot-password", fields{"email": v.address}), 200, "")
			code := v.lastMail(v.address, mail.PasswordResetCode).Params["code"]
			v.expect(v.post("/auth/reset-password", fields{"email": v.address, "otp": code, "password": "ponte-Comoro-77"}), 200, "")
			return v.post("/auth/refresh", fields{"refresh_token": v.refresh})
		}, 401, "token_invalid"},

		// Passwords
		{"a wrong password", func(v *victim) answer {
			return v.post("/auth/login", fields{"email": v.address, "password": "rua-Aimutin-43"})
		}, 401, "invalid_credentials"},
		{"somebody unknown", func(v *victim) answer {
			return v.post("/auth/login", fields{"email": "nobody@example.tl", "password": goodPassword})
		}, 401, "invalid_credentials"},
		{"no address at all", func(v *victim) answer {
			return v.post("/auth/login", fields{"email": "' OR 1=1 --", "password": goodPassword})
		}, 401, "invalid_credentials"},
		{"the hash as password", func(v *victim) answer {
			var hash string
			if err := v.db.QueryRow(v.t.Context(), `SELECT password_hash FROM users WHERE id = $1`, v.user).Scan(&hash); err != nil {
				v.t.Fatal(err)
			}
			return v.post("/auth/login", fields{"email": v.address, "password": hash})
		}, 401, "invalid_credentials"},
		{"an empty password on an account without one", func(v *victim) answer {
			v.exec(`UPDATE users SET password_hash = NULL, google_subject = 'g' WHERE id = $1`, v.user)
			return v.post("/auth/login", fields{"email": v.address, "password": ""})
		}, 401, "invalid_credentials"},
		{"the eleventh guess, though it is right", func(v *victim) answer {
			for range 10 {
				v.expect(v.post("/auth/login", fields{"email": v.address, "password": "wrong"}), 401, "invalid_credentials")
			}
			return v.post("/auth/login", fields{"email": v.address, "password": goodPassword})
		}, 429, "rate_limited"},
		{"a suspended account with its password", func(v *victim) answer {
			v.exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, v.user)
			return v.post("/auth/login", fields{"email": v.address, "password": goodPassword})
		}, 403, "account_suspended"},
		{"a suspended account with its password, as a form", func(v *victim) answer {
			v.exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, v.user)
			return v.post("/auth/token", fields{"username": v.address, "password": goodPassword})
		}, 403, "account_suspended"},
		{"a megabyte of password", func(v *victim) answer {
			return v.post("/auth/login", fields{"email": v.address, "password": strings.Repeat("a", 1<<20)})
		}, 413, "too_large"},

		// Codes and links
		{"the registration code for a reset", func(v *victim) answer {
			code := v.registered("joao@example.tl")
			return v.post("/auth/reset-password", fields{"email": "joao@example.tl", "otp": code, "new_password": "ponte-Comoro-77"})
		}, 400, "otp_expired"},
		{"somebody else's code", func(v *victim) answer {
			v.registered("joao@example.tl")
			v.expect(v.post("/auth/register", fields{"email": "rui@example.tl", "password": goodPassword, "full_name": "Rui"}), 201, "")
			other := v.lastMail("rui@example.tl", mail.RegistrationCode).Params["code"]
			if own := v.lastMail("joao@example.tl", mail.RegistrationCode).Params["code"]; own == other {
				other = "x" + other
			}
			return v.post("/auth/verify-otp", fields{"email": "joao@example.tl", "otp": other})
		}, 400, "otp_invalid"},
		{"a code of an address nobody has", func(v *victim) answer {
			v.expect(v.post("/auth/resend-otp", fields{"email": "nobody@example.tl"}), 200, "")
			return v.post("/auth/verify-otp", fields{"email": "nobody@example.tl", "otp": "123456"})
		}, 400, "otp_invalid"},
		{"registering over a confirmed account", func(v *victim) answer {
			v.clock.Advance(2 * time.Minute)
			v.expect(v.post("/auth/register", fields{"email": v.address, "password": "mota-Loes-2030", "full_name": "Thief"}), 201, "")
			v.lastMail(v.address, mail.AlreadyRegistered)
			if v.loggedIn(v.address).user("full_name") != "Ana Santos" {
				v.t.Error("the account has changed")
			}
			return v.post("/auth/login", fields{"email": v.address, "password": "mota-Loes-2030"})
		}, 403, "email_not_verified"}, // as for an address that nobody had
		{"a reset link twice", func(v *victim) answer {
			v.expect(v.post("/users/reset-password", fields{"email": v.address}), 202, "")
			body := fields{"token": v.link(mail.ResetLink), "new_password": "ponte-Comoro-77"}
			v.expect(v.post("/users/update-password", body), 200, "")
			body["new_password"] = "mota-Loes-2030"
			return v.post("/users/update-password", body)
		}, 400, "link_invalid"},
		{"a reset link after the password changed otherwise", func(v *victim) answer {
			v.expect(v.post("/users/reset-password", fields{"email": v.address}), 202, "")
			token := v.link(mail.ResetLink)
			v.expect(v.post("/auth/forgot-password", fields{"email": v.address}), 200, "")
			code := v.lastMail(v.address, mail.PasswordResetCode).Params["code"]
			v.expect(v.post("/auth/reset-password", fields{"email": v.address, "otp": code, "new_password": "mota-Loes-2030"}), 200, "")
			return v.post("/users/update-password", fields{"token": token, "new_password": "ponte-Comoro-77"})
		}, 400, "link_invalid"},
		{"a reset link after a quarter of an hour", func(v *victim) answer {
			v.expect(v.post("/users/reset-password", fields{"email": v.address}), 202, "")
			token := v.link(mail.ResetLink)
			v.clock.Advance(15*time.Minute + 6*time.Second)
			return v.post("/users/update-password", fields{"token": token, "new_password": "ponte-Comoro-77"})
		}, 400, "link_invalid"},
		{"the access token as reset link", func(v *victim) answer {
			return v.post("/users/update-password", fields{"token": v.access, "new_password": "ponte-Comoro-77"})
		}, 400, "link_invalid"},
		{"a link that confirms, to reset", func(v *victim) answer {
			token := v.signed(scopeVerify, v.user)
			return v.post("/users/update-password", fields{"token": token, "new_password": "ponte-Comoro-77"})
		}, 400, "link_invalid"},

		// Second factor
		{"enrolling as a citizen", func(v *victim) answer {
			return v.do(request{path: "/auth/totp/enroll", token: v.access})
		}, 403, "forbidden"},
		{"answering a challenge that never was", func(v *victim) answer {
			return v.post("/auth/totp/verify", fields{"challenge_id": uuid.NewString(), "code": "123456"})
		}, 400, "challenge_expired"},

		// Mass assignment
		{"a role in the registration", func(v *victim) answer {
			v.expect(v.post("/auth/register", fields{"email": "joao@example.tl", "password": goodPassword, "full_name": "J", "role": "admin",
				"is_verified": true}), 201, "")
			return v.post("/auth/login", fields{"email": "joao@example.tl", "password": goodPassword})
		}, 403, "email_not_verified"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t)
			a := attack.do(v)
			if a.status != attack.status || a.code() != attack.code {
				t.Fatalf("got %d %s, want %d %s: %s", a.status, a.code(), attack.status, attack.code, a.raw)
			}
			if a.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Error("a 401 without WWW-Authenticate")
			}
			detail := strings.ToLower(a.text("detail"))
			if a.code() == "invalid_credentials" && (strings.Contains(detail, "token") || strings.Contains(detail, "expired")) {
				t.Errorf("the mobile client signs out on %q", detail)
			}
		})
	}
}

const scopeVerify = "verify_email"

func (v *victim) signed(scope string, user uuid.UUID) string {
	c := identitytest.Claims(v.clock.Now(), user, "", uuid.New())
	c.Audience, c.Scope, c.SessionID, c.ID = jwt.ClaimStrings{identitytest.Audience + "/links"}, scope, "", uuid.NewString()
	return v.signer.Sign(c)
}

func (s *system) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) key() map[string]string {
	s.t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal([]byte(s.signer.PublicKeys()), &set); err != nil {
		s.t.Fatal(err)
	}
	return maps.Clone(set.Keys[0])
}

func (s *system) keyID() string     { return s.key()["kid"] }
func (s *system) publicKey() string { return s.key()["x"] }

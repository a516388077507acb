package requestcost_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
)

// address is one nobody has.
func (s *fixture) address() string { return fmt.Sprintf("rider-%d@example.tl", s.next()) }

// mailed is what the newest mail to an address says under a name.
func (s *fixture) mailed(address, name string) string {
	rows, err := s.DB.Query(s.Context(), `SELECT body FROM outbox WHERE queue = 'notify' AND body ? 'mail' ORDER BY created_at DESC, id DESC`)
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var m queue.NotifyMessage
		if err := rows.Scan(&m); err != nil {
			s.Fatal(err)
		}
		if opened, err := mail.Open(s.sealer, m.Mail); err == nil && opened.To == address && opened.Params[name] != "" {
			return opened.Params[name]
		}
	}
	s.Fatalf("no mail to %s with %s", address, name)
	return ""
}

// registered is the address of somebody who has not confirmed it.
func (s *fixture) registered() string {
	address := s.address()
	s.nobody.Post("/auth/register", object{"email": address, "password": password, "full_name": "Rui"}).Want(http.StatusCreated)
	return address
}

// session is what signing in gives somebody new, whose address is given as well.
func (s *fixture) session() (apiclient.Object, string) {
	address := s.registered()
	got := s.nobody.Post("/auth/verify-otp", object{"email": address, "otp": s.mailed(address, "code")}).Want(http.StatusOK).Object()
	return got, address
}

// member is somebody with a password, signed in.
func (s *fixture) member() *testenv.Client {
	got, _ := s.session()
	out := s.nobody.WithToken(got.Text("access_token"))
	out.ID = uuid.MustParse(got.Text("user.id"))
	return out
}

// link is the token of a mailed link.
func (s *fixture) link(address string) string {
	_, token, _ := strings.Cut(s.mailed(address, "link"), "token=")
	plain, err := url.QueryUnescape(token)
	if err != nil {
		s.Fatal(err)
	}
	return plain
}

func (s *fixture) accountWrites() []operation {
	n := s.nobody
	post := func(path string, body object) request { return request{n, "POST", path, body} }
	known := func() string {
		_, address := s.session()
		return address
	}
	linked := func() string {
		address := s.address()
		n.Post("/users/register", object{"name": "Heidi", "email": address, "password": password}).Want(http.StatusCreated)
		return address
	}
	waiting := func() string { // for whom the minute between two mails is over
		address := linked()
		s.Exec(`UPDATE one_time_codes SET created_at = created_at - interval '2 minutes'`)
		return address
	}
	page := n.With("X-LafaekStreet", "1")
	refreshed := func() string {
		got, _ := s.session()
		return got.Text("refresh_token")
	}
	enrolled := func() (*testenv.Client, string) {
		who := s.Staff(identity.Moderator)
		secret := who.Post("/auth/totp/enroll", nil).Want(http.StatusOK).Object().Text("secret")
		code, err := totp.GenerateCode(secret, time.Now())
		if err != nil {
			s.Fatal(err)
		}
		return who, code
	}
	return []operation{
		on(2, func() request {
			return post("/auth/register", object{"email": s.address(), "password": password, "full_name": "Rui"})
		}),
		on(3, func() request {
			address := s.registered()
			return post("/auth/verify-otp", object{"email": address, "otp": s.mailed(address, "code")})
		}),
		on(2, func() request {
			address := s.registered()
			s.Exec(`UPDATE one_time_codes SET created_at = created_at - interval '2 minutes'`)
			return post("/auth/resend-otp", object{"email": address})
		}),
		on(2, func() request { return post("/auth/email-code", object{"email": s.address()}) }),
		on(4, func() request {
			address := s.address()
			n.Post("/auth/email-code", object{"email": address}).Want(http.StatusOK)
			return post("/auth/email-code/verify", object{"email": address, "otp": s.mailed(address, "code")})
		}),
		on(3, func() request { return post("/auth/login", object{"email": known(), "password": password}) }),
		on(3, func() request { return post("/auth/token", object{"username": known(), "password": password}) }),
		on(2, func() request { return post("/auth/refresh", object{"refresh_token": refreshed()}) }),
		on(2, func() request {
			return request{page, "POST", "/auth/web-session", object{"refresh_token": refreshed()}}
		}),
		on(0, func() request { return request{page, "DELETE", "/auth/web-session", nil} }),
		on(1, func() request { return request{s.Citizen(), "POST", "/auth/logout", nil} }),
		on(2, func() request { return post("/auth/forgot-password", object{"email": known()}) }),
		on(3, func() request {
			address := known()
			n.Post("/auth/forgot-password", object{"email": address}).Want(http.StatusOK)
			return post("/auth/reset-password", object{"email": address, "otp": s.mailed(address, "code"), "new_password": "ponte-Comoro-77"})
		}),
		on(2, func() request { return request{s.Staff(identity.Moderator), "POST", "/auth/totp/enroll", nil} }),
		on(3, func() request {
			who, code := enrolled()
			return request{who, "POST", "/auth/totp/confirm", object{"code": code}}
		}),
		on(4, func() request {
			got, address := s.session()
			recovery := s.secondFactor(got)
			challenge := n.Post("/auth/login", object{"email": address, "password": password}).Want(http.StatusOK).Object().Text("challenge_id")
			return post("/auth/totp/verify", object{"challenge_id": challenge, "recovery_code": recovery})
		}),
		on(2, func() request {
			return post("/users/register", object{"name": "Heidi", "email": s.address(), "password": password})
		}),
		on(2, func() request {
			return request{n, "GET", "/users/verify-email?token=" + url.QueryEscape(s.link(linked())), nil}
		}),
		on(2, func() request { return post("/users/resend-verification", object{"email": waiting()}) }),
		on(2, func() request { return post("/users/reset-password", object{"email": known()}) }),
		on(2, func() request {
			address := known()
			n.Post("/users/reset-password", object{"email": address}).Want(http.StatusAccepted)
			return post("/users/update-password", object{"token": s.link(address), "new_password": "ponte-Comoro-77"})
		}),
		on(3, func() request {
			s.Exec(`UPDATE users SET role = 'citizen', agency_id = NULL WHERE role = 'admin'`)
			return post("/admin/setup", object{"setup_token": setupToken, "email": s.address(), "password": password, "full_name": "Chefe"})
		}),
	}
}

// secondFactor turns it on for somebody who just signed in, and returns a recovery code.
func (s *fixture) secondFactor(got apiclient.Object) string {
	s.Exec(`UPDATE users SET role = 'moderator' WHERE id = $1`, got.Text("user.id"))
	who := s.nobody.WithToken(got.Text("access_token"))
	secret := who.Post("/auth/totp/enroll", nil).Want(http.StatusOK).Object().Text("secret")
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		s.Fatal(err)
	}
	answer := who.Post("/auth/totp/confirm", object{"code": code}).Want(http.StatusOK).Object()
	codes, _ := answer.At("recovery_codes").([]any)
	recovery, _ := codes[0].(string)
	return recovery
}

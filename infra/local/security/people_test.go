package security

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

// mailsTo are the mails with codes and links to an address, oldest first.
func mailsTo(w *testenv.System, address string) []mail.Message {
	w.Helper()
	sealer, err := seal.New(seal.Config{Keys: []string{w.Env["SEAL_KEYS"]}})
	if err != nil {
		w.Fatal(err)
	}
	rows, err := w.DB.Query(w.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY created_at, id`)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	var out []mail.Message
	for rows.Next() {
		var m queue.NotifyMessage
		if err := rows.Scan(&m); err != nil {
			w.Fatal(err)
		}
		if opened, err := mail.Open(sealer, m.Mail); m.Mail != nil && err == nil && opened.To == address {
			out = append(out, opened)
		}
	}
	return out
}

// firstAdministrator sets the system up. The client has no second factor in its session yet.
func firstAdministrator(w *testenv.System) (apiclient.Object, string) {
	w.Helper()
	const address = "chefe@example.tl"
	return w.Anonymous().Post("/admin/setup", object{"setup_token": "setup", "email": address, "password": password, "full_name": "Chefe"}).
		Want(http.StatusCreated).Object(), address
}

// passFactor signs in with a password and the second factor that body has.
func passFactor(w *testenv.System, address string, body object) apiclient.TestResponse {
	w.Helper()
	challenge := w.Anonymous().Post("/auth/login", object{"email": address, "password": password}).Want(http.StatusOK).Object()
	if challenge.Text("kind") != "second_factor" {
		w.Fatalf("signed in without the second factor: %v", challenge.Values)
	}
	body["challenge_id"] = challenge.Text("challenge_id")
	return w.Anonymous().Post("/auth/totp/verify", body)
}

// The first administrator has recovery codes and a QR code from the start. Each recovery code signs in once.
func TestTheFirstAdministratorHasRecoveryCodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made, address := firstAdministrator(w)
	if !strings.HasPrefix(made.Text("qr_svg"), "<svg ") || !strings.HasPrefix(made.Text("otpauth_uri"), "otpauth://") || made.Text("secret") == "" {
		t.Errorf("setup: %v", made.Values)
	}
	codes, _ := made.Values["recovery_codes"].([]any)
	if len(codes) != 10 || slices.Contains(codes[1:], codes[0]) {
		t.Fatalf("recovery codes: %v", codes)
	}
	for _, code := range codes[:2] {
		passFactor(w, address, object{"recovery_code": code}).Want(http.StatusOK)
		passFactor(w, address, object{"recovery_code": code}).WantProblem(http.StatusBadRequest, "second_factor_invalid")
	}
	tokens := passFactor(w, address, object{"recovery_code": codes[2]}).Want(http.StatusOK).Object()
	boss := w.Anonymous().WithToken(tokens.Text("access_token"))
	boss.Do(http.MethodGet, "/admin/users", nil).Want(http.StatusOK)
	started := boss.Post("/auth/totp/enroll", object{}).Want(http.StatusOK).Object()
	if !strings.HasPrefix(started.Text("qr_svg"), "<svg ") {
		t.Errorf("enrol: %v", started.Values)
	}
	code, err := totp.GenerateCode(started.Text("secret"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	boss.Post("/auth/totp/confirm", object{"code": code}).Want(http.StatusOK)
	passFactor(w, address, object{"recovery_code": codes[3]}).WantProblem(http.StatusBadRequest, "second_factor_invalid")
}

// An administrator takes the second factor of a colleague away who lost it. Every session and sign-in of the colleague ends, a mail
// says so, and they set up a new one.
func TestAnAdministratorResetsASecondFactor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made, address := firstAdministrator(w)
	codes, _ := made.Values["recovery_codes"].([]any)
	first := w.Anonymous().WithToken(passFactor(w, address, object{"recovery_code": codes[0]}).Want(http.StatusOK).Object().Text("access_token"))
	waiting := w.Anonymous().Post("/auth/login", object{"email": address, "password": password}).Want(http.StatusOK).Object().Text("challenge_id")
	id := made.Text("user.id")
	path := "/admin/users/" + id + "/totp"
	first.Do(http.MethodDelete, path, object{"reason": "lost"}).WantProblem(http.StatusConflict, "own_second_factor")
	for _, role := range []identity.Role{identity.Citizen, identity.Moderator, identity.Official} {
		w.Staff(role).Do(http.MethodDelete, path, object{"reason": "lost"}).WantProblem(http.StatusForbidden, "forbidden")
	}
	other := w.Staff(identity.Admin)
	other.Do(http.MethodDelete, path, object{"reason": "  "}).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	other.Do(http.MethodDelete, "/admin/users/00000000-0000-4000-8000-000000000000/totp", object{"reason": "lost"}).WantProblem(http.StatusNotFound, "user_not_found")

	for _, says := range []string{"was removed", "no second factor"} { // the second click changes nothing, and says so
		if got := other.Do(http.MethodDelete, path, object{"reason": "Lost the phone"}).Want(http.StatusOK).Object().Text("message"); !strings.Contains(got, says) {
			t.Errorf("%q, want %q", got, says)
		}
	}
	first.Do(http.MethodGet, "/users/me", nil).WantProblem(http.StatusUnauthorized, "token_invalid")
	w.Anonymous().Post("/auth/totp/verify", object{"challenge_id": waiting, "recovery_code": codes[1]}).WantProblem(http.StatusBadRequest, "challenge_expired")
	if sent := mailsTo(w, address); len(sent) != 1 || sent[0].Template != mail.SecondFactorReset {
		t.Errorf("mails: %+v", sent)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'second_factor.reset' AND entity_id = $1 AND actor_id = $2 AND after ->> 'reason' = 'Lost the phone'`,
		id, other.ID); n != 1 {
		t.Errorf("%d entries in the audit log, want 1", n)
	}
	in := w.Anonymous().Post("/auth/login", object{"email": address, "password": password}).Want(http.StatusOK).Object()
	again := w.Anonymous().WithToken(in.Text("access_token"))
	again.Do(http.MethodGet, "/admin/users", nil).WantProblem(http.StatusForbidden, "second_factor_required")
	code, err := totp.GenerateCode(again.Post("/auth/totp/enroll", object{}).Want(http.StatusOK).Object().Text("secret"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again.Post("/auth/totp/confirm", object{"code": code}).Want(http.StatusOK)
	again.Do(http.MethodGet, "/admin/users", nil).Want(http.StatusOK)
}

// An administrator takes an insult or a picture out of a profile. Others read the word for a citizen, also in what was written
// before. The person is mailed, once.
func TestAnAdministratorClearsAProfile(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss, maria, rui := w.Staff(identity.Admin), w.Citizen(), w.Citizen()
	upload := uploaded(maria, w, 3)
	maria.Patch("/users/me", object{"full_name": "Zorro Insult", "avatar_upload_id": upload}).Want(http.StatusOK)
	r := rui.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
	w.Verify(r)
	maria.Post("/reports/"+r+"/comments", object{"content": "Me too."}).Want(http.StatusCreated)
	path := "/admin/users/" + maria.ID.String()
	boss.Patch(path, object{"clear_name": false, "clear_avatar": false}).Want(http.StatusOK)
	for range 2 { // the second click changes nothing
		got := boss.Patch(path, object{"clear_name": true, "clear_avatar": true, "reason": "An insult"}).Want(http.StatusOK).Object()
		if got.Text("full_name") != "" || got.At("avatar_url") != nil || got.Text("role") != "citizen" || got.At("is_active") != true {
			t.Errorf("cleared: %v", got.Values)
		}
	}
	maria.Do(http.MethodGet, "/users/me", nil).Want(http.StatusOK) // still signed in
	for _, path := range []string{"/users/" + maria.ID.String(), "/reports/" + r + "/comments", "/notifications"} {
		if a := rui.Get(path).Want(http.StatusOK); strings.Contains(string(a.Body), "Zorro") {
			t.Errorf("%s has the name: %s", path, a.Body)
		}
	}
	rui.Get("/users/" + maria.ID.String() + "/avatar").Want(http.StatusNotFound)
	if n := w.Int(`SELECT count(*) FROM uploads WHERE id = $1 AND attached_at IS NULL AND expires_at <= now()`, upload); n != 1 {
		t.Error("the picture stays")
	}
	if sent := mailsTo(w, maria.Email); len(sent) != 1 || sent[0].Template != mail.ProfileCleared {
		t.Errorf("mails: %+v", sent)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE entity_id = $1 AND (after ->> 'name_cleared')::boolean AND (after ->> 'avatar_cleared')::boolean`, maria.ID.String()); n != 1 {
		t.Errorf("%d entries in the audit log, want 1", n)
	}
}

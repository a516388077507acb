package security

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
)

const invited = "rui@obras.tl"

// tokenIn is the token of the link in a mail.
func tokenIn(w *testenv.System, m mail.Message) string {
	w.Helper()
	_, query, _ := strings.Cut(m.Params["link"], "?")
	values, err := url.ParseQuery(query)
	if err != nil || values.Get("token") == "" {
		w.Fatalf("link %q", m.Params["link"])
	}
	return values.Get("token")
}

// newest is the last mail to the invited person, which must be of a template.
func newest(w *testenv.System, template mail.Template) mail.Message {
	w.Helper()
	all := mailsTo(w, invited)
	if len(all) == 0 || all[len(all)-1].Template != template {
		w.Fatalf("mails: %+v, want %s last", all, template)
	}
	return all[len(all)-1]
}

func invitation(role string, more object) object {
	out := object{"email": "Rui@Obras.tl", "full_name": " Rui  Guterres ", "role": role}
	for name, value := range more {
		out[name] = value
	}
	return out
}

func signIn(w *testenv.System, password string) apiclient.TestResponse {
	w.Helper()
	return w.Anonymous().Post("/auth/login", object{"email": invited, "password": password})
}

// An invited person is a citizen who cannot sign in until they use the link. It works once.
func TestAnInvitedPersonChoosesAPassword(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss, agency := w.Staff(identity.Admin), w.Agency("OP-DILI")
	made := boss.Post("/admin/users/invite", invitation("Government Official", object{"agency_id": agency, "preferred_language": "pt"})).Want(http.StatusCreated).Object()
	if made.Text("role") != "citizen" || made.Text("invited.role") != "government_official" || made.Text("invited.agency_id") != agency.String() ||
		made.At("is_verified") != false || made.Text("email") != invited || made.Text("full_name") != "Rui Guterres" || made.Text("preferred_language") != "pt" {
		t.Errorf("invited: %v", made.Values)
	}
	for _, agency := range []string{"op-dili", agency.String()} {
		if found := boss.Do(http.MethodGet, "/admin/users?agency="+agency, nil).Want(http.StatusOK).Object(); found.Number("total") != 1 || found.Items("items")[0].Text("id") != made.Text("id") {
			t.Errorf("people of the agency: %v", found.Values)
		}
	}
	if found := boss.Do(http.MethodGet, "/admin/users?agency=other", nil).Want(http.StatusOK).Object(); found.Number("total") != 0 {
		t.Errorf("people of no agency: %v", found.Values)
	}
	m := newest(w, mail.Invitation)
	if m.Language != "pt" || m.Params["role"] == "" || m.Params["name"] != "Rui Guterres" || !strings.Contains(m.Params["link"], "/welcome?token=") {
		t.Errorf("mail: %+v", m)
	}
	signIn(w, password).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	token, citizen := tokenIn(w, m), w.Anonymous()
	citizen.Post("/users/update-password", object{"token": token, "new_password": "12345678"}).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	citizen.Post("/users/update-password", object{"token": token[:len(token)-2] + "AA", "new_password": password}).WantProblem(http.StatusBadRequest, "link_invalid")
	citizen.Post("/users/update-password", object{"token": token, "new_password": password}).Want(http.StatusOK)
	citizen.Post("/users/update-password", object{"token": token, "new_password": "ponte-Comoro-77"}).WantProblem(http.StatusBadRequest, "link_invalid")
	user := signIn(w, password).Want(http.StatusOK).Object()
	if user.Text("user.role") != "government_official" || user.At("user.is_verified") != true || user.Text("user.full_name") != "Rui Guterres" || user.Text("user.preferred_language") != "pt" {
		t.Errorf("signed in: %v", user.Values)
	}
	if list := boss.Do(http.MethodGet, "/admin/users?agency=OP-DILI", nil).Object(); list.Items("items")[0].At("invited") != nil || list.Items("items")[0].Text("agency_id") != agency.String() {
		t.Errorf("accepted: %v", list.Values)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE entity_id = $1 AND (action = 'user.invite' AND actor_id = $2 OR action = 'user.accept_invitation' AND actor_id = $1::uuid)
		AND after ->> 'role' = 'government_official'`, made.Text("id"), boss.ID); n != 2 {
		t.Errorf("%d entries in the audit log, want 2", n)
	}
	newest(w, mail.Invitation) // no mail about a changed password
	boss.Post("/admin/users/invite", invitation("admin", nil)).WantProblem(http.StatusConflict, "account_exists")
}

// proofsOfAddress are the ways by which an invited person shows that the address is theirs, besides the link of the invitation. Those
// that sign in expect a role.
func proofsOfAddress(w *testenv.System, role string) map[string]func() {
	post := func(path string, body object) apiclient.TestResponse { return w.Anonymous().Post(path, body) }
	return map[string]func(){
		"code to sign in": func() {
			post("/auth/email-code", object{"email": invited}).Want(http.StatusOK)
			in := post("/auth/email-code/verify", object{"email": invited, "otp": newest(w, mail.SignInCode).Params["code"]}).Want(http.StatusOK).Object()
			if in.Text("user.role") != role {
				w.Errorf("signed in as %v", in.Values)
			}
		},
		"code to confirm": func() {
			post("/auth/resend-otp", object{"email": invited}).Want(http.StatusOK)
			in := post("/auth/verify-otp", object{"email": invited, "otp": newest(w, mail.RegistrationCode).Params["code"]}).Want(http.StatusOK).Object()
			if in.Text("user.role") != role {
				w.Errorf("signed in as %v", in.Values)
			}
		},
		"link to confirm": func() {
			post("/users/resend-verification", object{"email": invited}).Want(http.StatusAccepted)
			w.Anonymous().Get("/users/verify-email?token=" + tokenIn(w, newest(w, mail.VerifyLink))).Want(http.StatusOK)
		},
		"code to reset": func() {
			post("/auth/forgot-password", object{"email": invited}).Want(http.StatusOK)
			post("/auth/reset-password", object{"email": invited, "otp": newest(w, mail.PasswordResetCode).Params["code"], "new_password": password}).Want(http.StatusOK)
		},
		"link to reset": func() {
			post("/users/reset-password", object{"email": invited}).Want(http.StatusAccepted)
			post("/users/update-password", object{"token": tokenIn(w, newest(w, mail.ResetLink)), "new_password": password}).Want(http.StatusOK)
		},
	}
}

func TestARoleTakesEffectByAnyProofOfTheAddress(t *testing.T) {
	t.Parallel()
	for name := range proofsOfAddress(nil, "") {
		for _, over := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", over: ", over), func(t *testing.T) {
				t.Parallel()
				w := setup(t)
				boss := w.Staff(identity.Admin)
				id := boss.Post("/admin/users/invite", invitation("moderator", nil)).Want(http.StatusCreated).Object().Text("id")
				link := tokenIn(w, newest(w, mail.Invitation))
				role := "moderator"
				if over {
					w.Exec(`UPDATE invitations SET expires_at = now() - interval '1 second'`)
					w.Anonymous().Post("/users/update-password", object{"token": link, "new_password": password}).WantProblem(http.StatusBadRequest, "link_invalid")
					role = "citizen"
				}
				want := role + " Rui Guterres true 0"
				proofsOfAddress(w, role)[name]()
				const q = `SELECT role || ' ' || full_name || ' ' || (email_verified_at IS NOT NULL) || ' ' || (SELECT count(*) FROM invitations) FROM users WHERE id = $1`
				if got := w.Text(q, id); got != want {
					t.Errorf("the account: %s, want %s", got, want)
				}
				w.Anonymous().Post("/users/update-password", object{"token": link, "new_password": "ponte-Comoro-77"}).WantProblem(http.StatusBadRequest, "link_invalid")
			})
		}
	}
}

// Whoever registered the address before the invitation, or registers it after, gets nothing of the role.
func TestAStrangerGetsNothingOfAnInvitation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss := w.Staff(identity.Admin)
	const strange = "strange-Password-1"
	register := func() {
		w.Anonymous().Post("/auth/register", object{"email": invited, "password": strange, "full_name": "Mallory", "phone_number": "+67077000000"}).Want(http.StatusCreated)
	}
	register()
	code := newest(w, mail.RegistrationCode).Params["code"]
	w.Exec(`INSERT INTO sessions (id, user_id, expires_at) SELECT gen_random_uuid(), id, now() + interval '1 day' FROM users WHERE email = $1`, invited)
	id := boss.Post("/admin/users/invite", invitation("admin", nil)).Want(http.StatusCreated).Object()
	if id.At("phone_number") != nil {
		t.Errorf("what the stranger gave stays: %v", id.Values)
	}
	if n := w.Int(`SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, id.Text("id")); n != 0 {
		t.Errorf("%d sessions go on", n)
	}
	signIn(w, strange).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	w.Anonymous().Post("/auth/verify-otp", object{"email": invited, "otp": code}).WantProblem(http.StatusBadRequest, "otp_expired")
	token := tokenIn(w, newest(w, mail.Invitation))
	w.Exec(`UPDATE one_time_codes SET created_at = created_at - interval '2 minutes'`)
	register()
	newest(w, mail.AlreadyRegistered)
	w.Exec(`UPDATE one_time_codes SET created_at = created_at - interval '2 minutes'`)
	w.Anonymous().Post("/users/update-password", object{"token": token, "new_password": password}).Want(http.StatusOK)
	signIn(w, strange).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	if in := signIn(w, password).Want(http.StatusOK).Object(); in.Text("user.role") != "admin" || in.Text("user.full_name") != "Rui Guterres" {
		t.Errorf("signed in: %v", in.Values)
	}
}

func TestANewInvitationEndsTheFormerLink(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss := w.Staff(identity.Admin)
	first := boss.Post("/admin/users/invite", invitation("admin", nil)).Want(http.StatusCreated).Object()
	old := tokenIn(w, newest(w, mail.Invitation))
	second := boss.Post("/admin/users/invite", invitation("moderator", object{"full_name": "Rui G."})).Want(http.StatusCreated).Object()
	if second.Text("id") != first.Text("id") || second.Text("full_name") != "Rui G." || second.Text("invited.role") != "moderator" {
		t.Errorf("again: %v", second.Values)
	}
	w.Anonymous().Post("/users/update-password", object{"token": old, "new_password": password}).WantProblem(http.StatusBadRequest, "link_invalid")
	// What an administrator decides meanwhile holds.
	path := "/admin/users/" + first.Text("id")
	boss.Patch(path, object{"suspended": true}).Want(http.StatusOK)
	token := tokenIn(w, newest(w, mail.Invitation))
	w.Anonymous().Post("/users/update-password", object{"token": token, "new_password": password}).WantProblem(http.StatusBadRequest, "link_invalid")
	boss.Post("/admin/users/invite", invitation("moderator", nil)).WantProblem(http.StatusConflict, "account_exists")
	boss.Patch(path, object{"suspended": false, "role": "citizen"}).Want(http.StatusOK)
	w.Anonymous().Post("/users/update-password", object{"token": token, "new_password": password}).Want(http.StatusOK)
	if in := signIn(w, password).Want(http.StatusOK).Object(); in.Text("user.role") != "citizen" {
		t.Errorf("signed in: %v", in.Values)
	}
}

func TestInvitationsAreChecked(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss, maria := w.Staff(identity.Admin), w.Citizen()
	for _, role := range []identity.Role{identity.Citizen, identity.Moderator, identity.Official} {
		w.Staff(role).Post("/admin/users/invite", invitation("admin", nil)).WantProblem(http.StatusForbidden, "forbidden")
	}
	for code, body := range map[string]object{
		"agency_required": invitation("government_official", nil), "agency_not_found": invitation("government_official", object{"agency_id": uuid.NewString()}),
		"email_not_deliverable": invitation("admin", object{"email": "josé@obras.tl"}), "invalid_input": invitation("king", nil),
	} {
		boss.Post("/admin/users/invite", body).WantProblem(http.StatusUnprocessableEntity, code)
	}
	for _, bad := range []object{{"email": "rui"}, {"full_name": " "}, {"preferred_language": "fr"}, {"role": ""}} {
		boss.Post("/admin/users/invite", invitation("moderator", bad)).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	}
	if a := boss.Post("/admin/users/invite", invitation("admin", object{"email": maria.Email})).WantProblem(http.StatusConflict, "account_exists"); a.Object().Text("user_id") != maria.ID.String() {
		t.Errorf("a confirmed account: %s", a.Body)
	}
	if n := w.Int(`SELECT (SELECT count(*) FROM invitations) + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM users WHERE email = $1)`, invited); n != 0 {
		t.Error("what is refused changes something")
	}
	keyed := boss.With("Idempotency-Key", uuid.NewString())
	for range 2 {
		keyed.Post("/admin/users/invite", invitation("moderator", nil)).Want(http.StatusCreated)
	}
	if n := len(mailsTo(w, invited)); n != 1 {
		t.Errorf("%d mails for one key", n)
	}
}

// Requests at once: one link works, once, and a registration at the same time sets no password.
func TestInvitationsAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	boss := w.Staff(identity.Admin)
	const strange = "strange-Password-1"
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { boss.Post("/admin/users/invite", invitation("moderator", nil)).Want(http.StatusCreated) })
		wg.Go(func() {
			w.Anonymous().Post("/auth/register", object{"email": invited, "password": strange, "full_name": "Mallory"})
		})
	}
	wg.Wait()
	var mu sync.Mutex
	answers := map[int]int{}
	for _, m := range mailsTo(w, invited) {
		if m.Template != mail.Invitation {
			continue
		}
		for range 2 {
			wg.Go(func() {
				a := w.Anonymous().Post("/users/update-password", object{"token": tokenIn(w, m), "new_password": password})
				mu.Lock()
				defer mu.Unlock()
				answers[a.Status]++
			})
		}
	}
	wg.Wait()
	if answers[http.StatusOK] != 1 || answers[http.StatusBadRequest] != 5 {
		t.Errorf("answers by status: %v", answers)
	}
	w.Exec(`DELETE FROM one_time_codes`)
	signIn(w, strange).WantProblem(http.StatusUnauthorized, "invalid_credentials")
	signIn(w, password).Want(http.StatusOK)
}

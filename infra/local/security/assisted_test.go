package security

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
)

const caller = "domingos@example.tl"

// assisted is the body of a report that staff file for somebody.
func assisted(more object) object {
	out := draft(object{"title": "Hole", "on_behalf_of": object{"full_name": "Domingos Soares", "phone_number": "+670 7700 1122", "email": "Domingos@Example.tl"}})
	for name, value := range more {
		out[name] = value
	}
	return out
}

// warned are the warnings of an answer, as field:code.
func warned(o interface{ At(string) any }) string {
	var out []string
	list, _ := o.At("warnings").([]any)
	for _, w := range list {
		m, _ := w.(map[string]any)
		out = append(out, fmt.Sprint(m["field"], ":", m["code"]))
	}
	return strings.Join(out, " ")
}

// A report that staff file for a caller has no reporter. The audit log says who filed it, and verification finds nothing wrong.
func TestStaffFileForSomebody(t *testing.T) {
	t.Parallel()
	w := setup(t)
	agency := w.Agency("DILI")
	for role, c := range map[string]*testenv.Client{"moderator": w.Staff(identity.Moderator), "government_official": w.Staff(identity.Official, agency), "admin": w.Staff(identity.Admin)} {
		body := assisted(object{"images": []object{{"upload_id": uploaded(c, w, 1)}}})
		made := c.With("X-LafaekStreet", "1").Post("/reports", body).Want(http.StatusCreated).Object()
		id := made.Text("id")
		if made.Text("source") != "assisted" || made.At("reporter") != nil || warned(made) != "" || made.Text("title") != "Hole" || made.Text("receipt.note") == "" || made.At("receipt.salt") != nil ||
			made.Items("status_history")[0].Text("changed_by") != role {
			t.Errorf("%s: %v", role, made.Values)
		}
		read := c.Get("/reports/" + id).Want(http.StatusOK).Object()
		if read.Text("source") != "assisted" || read.At("reporter") != nil || read.Items("status_history")[0].Text("changed_by") != role || len(read.Items("images")) != 1 {
			t.Errorf("%s, read: %v", role, read.Values)
		}
		const stored = `SELECT (r.user_id IS NULL)::text || ' ' || (r.client_id IS NULL) || ' ' || c.full_name || ' ' || c.phone_number || ' ' || c.email || ' ' || c.preferred_language || ' ' || (c.client_id = $2)
			FROM reports r JOIN report_contacts c ON c.report_id = r.id WHERE r.id = $1 AND c.filed_by = $3`
		if got := w.Text(stored, id, body["client_id"], c.ID); got != "true true Domingos Soares +670 7700 1122 domingos@example.tl tet true" {
			t.Errorf("%s: stored: %s", role, got)
		}
		if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.create' AND entity_id = $1 AND actor_id = $2 AND actor_role = $3`, id, c.ID, role); n != 1 {
			t.Errorf("%s: %d entries in the audit log", role, n)
		}
		if n := w.Int(`SELECT (SELECT count(*) FROM notifications) + (SELECT reports_count FROM users WHERE id = $1)`, c.ID); n != 0 {
			t.Errorf("%s: staff count as the reporter", role)
		}
		if n := c.Get("/reports/my-reports").Want(http.StatusOK).Object().Number("total"); n != 0 {
			t.Errorf("%s: it is among the own reports", role)
		}
		if failed := failedChecks(c, id); !slices.Equal(failed, []string{"anchored"}) {
			t.Errorf("%s: verify: %q failed", role, failed)
		}
		w.Verify(id)
		seen := w.Anonymous().Get("/public/reports/" + id).Want(http.StatusOK)
		if seen.Object().At("reporter") != nil || seen.Object().Text("source") != "assisted" || strings.Contains(string(seen.Body), "Domingos") || strings.Contains(strings.ToLower(string(seen.Body)), caller) {
			t.Errorf("%s: in public: %s", role, seen.Body)
		}
	}
}

// What is sent again is filed once: with the client_id, or with the same content for the same person. What differs is named.
func TestAReportForSomebodyIsFiledOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mod, other := w.Staff(identity.Moderator), w.Staff(identity.Moderator)
	body := assisted(nil)
	first := mod.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if a := mod.Post("/reports", body).Want(http.StatusOK).Object(); a.Text("id") != first || warned(a) != "" {
				t.Errorf("again: %v", a.Values)
			}
		})
	}
	wg.Wait()
	body["on_behalf_of"] = object{"full_name": "Domingos"}
	if a := mod.Post("/reports", body).Want(http.StatusOK).Object(); a.Text("id") != first || warned(a) != "on_behalf_of:not_taken" {
		t.Errorf("for another person: %v", a.Values)
	}
	body["title"] = "Deep hole"
	if a := mod.Post("/reports", body).Want(http.StatusOK).Object(); a.Text("title") != "Deep hole" {
		t.Errorf("other words: %v", a.Values)
	}
	body["latitude"] = -8.57
	mod.Post("/reports", body).WantProblem(http.StatusConflict, "client_id_reused")
	if second := other.Post("/reports", body).Want(http.StatusCreated).Object().Text("id"); second == first {
		t.Error("the client_id of a colleague is the same report")
	}

	unnamed := assisted(object{"client_id": nil, "latitude": -8.58})
	one := mod.Post("/reports", unnamed).Want(http.StatusCreated).Object().Text("id")
	if again := mod.Post("/reports", unnamed).Want(http.StatusOK).Object().Text("id"); again != one {
		t.Error("the same content is filed twice")
	}
	unnamed["on_behalf_of"] = object{"full_name": "Joana"}
	if a := mod.Post("/reports", unnamed).Want(http.StatusCreated).Object(); a.Text("id") == one {
		t.Error("the report of another caller is lost")
	}
	delete(unnamed, "on_behalf_of")
	if a := mod.Post("/reports", unnamed).Want(http.StatusCreated).Object(); a.Text("source") != "app" || a.At("reporter") == nil {
		t.Errorf("the own report: %v", a.Values)
	}
	items := mod.Post("/reports/batch", object{"reports": []object{assisted(object{"latitude": -8.59}), body}}).Want(http.StatusOK).Object().Items("results")
	if items[0].Text("status") != "created" || items[0].Text("report.source") != "assisted" || items[1].Text("status") != "conflict" {
		t.Errorf("batch: %v", items)
	}
}

// What cannot be read of the person is left out and named. A citizen files for nobody else.
func TestWhomAReportIsForIsChecked(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mod := w.Staff(identity.Moderator)
	for want, sent := range map[string]any{
		"": object{}, "on_behalf_of.email:unreadable": object{"email": "domingos"}, "on_behalf_of.phone_number:unreadable": object{"phone_number": "call me"},
		"on_behalf_of.preferred_language:unreadable": object{"preferred_language": "fr"}, "on_behalf_of.full_name:cut": object{"full_name": strings.Repeat("x", 101)},
	} {
		made := mod.Post("/reports", assisted(object{"on_behalf_of": sent})).Want(http.StatusCreated).Object()
		if warned(made) != want || made.Text("source") != "assisted" {
			t.Errorf("%v: warnings %q, want %q: %s", sent, warned(made), want, made.Text("source"))
		}
	}
	// What cannot be read is a report for somebody without a contact, never one of the member of staff.
	for i, sent := range []any{"Domingos", 5, []any{}, true} {
		made := mod.Post("/reports", assisted(object{"on_behalf_of": sent, "latitude": -8.5 + float64(i)/100})).Want(http.StatusCreated).Object()
		if warned(made) != "on_behalf_of:counts_closed" || made.Text("source") != "assisted" {
			t.Errorf("%v: %v", sent, made.Values)
		}
		items := mod.Post("/reports/batch", object{"reports": []object{assisted(object{"on_behalf_of": sent, "latitude": -8.55 - float64(i)/100})}}).Want(http.StatusOK).Object().Items("results")
		if items[0].Text("status") != "created" || items[0].Text("report.source") != "assisted" {
			t.Errorf("%v in a batch: %v", sent, items)
		}
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE user_id IS NOT NULL`); n != 0 {
		t.Errorf("%d reports have the moderator as reporter", n)
	}
	if n := w.Int(`SELECT count(*) FROM report_contacts WHERE email IS NOT NULL OR phone_number IS NOT NULL`); n != 0 {
		t.Errorf("%d contacts have what cannot be read", n)
	}
	maria := w.Citizen()
	made := maria.Post("/reports", assisted(nil)).Want(http.StatusCreated).Object()
	if warned(made) != "on_behalf_of:not_taken" || made.Text("source") != "app" || made.Text("reporter.id") != maria.ID.String() {
		t.Errorf("by a citizen: %v", made.Values)
	}
	if n := w.Int(`SELECT count(*) FROM report_contacts c JOIN reports r ON r.id = c.report_id WHERE r.user_id IS NOT NULL`); n != 0 {
		t.Error("a citizen's report has a contact")
	}
}

// byCode signs somebody in with a code that was mailed to the address.
func byCode(w *testenv.System, address string) *testenv.Client {
	w.Helper()
	w.Anonymous().Post("/auth/email-code", object{"email": address}).Want(http.StatusOK)
	all := mailsTo(w, address)
	in := w.Anonymous().Post("/auth/email-code/verify", object{"email": address, "otp": all[len(all)-1].Params["code"]}).Want(http.StatusOK).Object()
	c := w.Anonymous().WithToken(in.Text("access_token"))
	c.ID = uuid.MustParse(in.Text("user.id"))
	return c
}

// Whoever confirms the address becomes the reporter of what was filed for it, and of nothing else.
func TestWhoeverConfirmsTheAddressIsTheReporter(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mod := w.Staff(identity.Moderator)
	picture := uploaded(mod, w, 1)
	mine := mod.Post("/reports", assisted(object{"images": []object{{"upload_id": picture}}})).Want(http.StatusCreated).Object().Text("id")
	fixed := mod.Post("/reports", assisted(object{"is_anonymous": true})).Want(http.StatusCreated).Object().Text("id")
	others := mod.Post("/reports", assisted(object{"on_behalf_of": object{"email": "joana@example.tl"}})).Want(http.StatusCreated).Object().Text("id")
	w.Exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, fixed)
	// A registration that nobody confirmed is no proof.
	w.Anonymous().Post("/auth/register", object{"email": caller, "password": password, "full_name": "Mallory"}).Want(http.StatusCreated)
	if n := w.Int(`SELECT count(*) FROM reports WHERE user_id IS NOT NULL`); n != 0 {
		t.Fatal("an address that is not confirmed has reports")
	}
	person := byCode(w, caller)
	list := person.Get("/reports/my-reports").Want(http.StatusOK).Object()
	if list.Number("total") != 2 {
		t.Fatalf("own reports: %v", list.Values)
	}
	if me := person.Get("/users/me").Want(http.StatusOK).Object(); me.Number("reports_count") != 2 || me.Number("fixed_reports_count") != 1 {
		t.Errorf("counts: %v", me.Values)
	}
	r := person.Get("/reports/" + mine).Want(http.StatusOK).Object()
	if r.Text("reporter.id") != person.ID.String() || r.Text("receipt.salt") == "" || r.Text("source") != "assisted" {
		t.Errorf("the report: %v", r.Values)
	}
	// Nobody asked the person: others do not read the name, nor do officials. Staff speak no more for the person.
	if got := w.Text(`SELECT (convert_from(payload, 'UTF8')::jsonb ->> 'anonymous') FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`, mine); r.At("is_anonymous") != true || got != "true" {
		t.Errorf("anonymous: %v, in the log %q", r.At("is_anonymous"), got)
	}
	mod.Post("/reports/"+fixed+"/dispute", object{"note": "She says it is open.", "on_behalf_of": true}).WantProblem(http.StatusForbidden, "forbidden")
	if got := w.Text(`SELECT string_agg(event_type, ' ' ORDER BY seq) FROM ledger_events WHERE report_id = $1`, mine); !strings.HasSuffix(got, "CONTENT_AMENDED") {
		t.Errorf("events: %s", got)
	}
	if n := w.Int(`SELECT count(*) FROM uploads WHERE id = $1 AND user_id = $2`, picture, person.ID); n != 1 {
		t.Error("the picture is not the reporter's")
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE id = $1 AND user_id IS NULL`, others); n != 1 {
		t.Error("the report for somebody else has this reporter")
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.claim' AND actor_id = $1`, person.ID); n != 1 {
		t.Errorf("%d entries in the audit log", n)
	}
	if failed := failedChecks(person, mine); !slices.Equal(failed, []string{"anchored"}) {
		t.Errorf("verify: %q failed", failed)
	}
	mod.Post("/reports/"+mine+"/status", object{"status": "verified"}).Want(http.StatusOK)
	official := w.Staff(identity.Official)
	for who, sees := range map[*testenv.Client]bool{official: false, mod: true, w.Citizen(): false} {
		if got := who.Get("/reports/" + mine).Want(http.StatusOK).Object(); (got.At("reporter") != nil) != sees {
			t.Errorf("a %s sees the reporter %v", who.Role, got.At("reporter"))
		}
	}
	if n := len(official.Get("/staff/queue?kind=assigned&reporter=" + person.ID.String()).Want(http.StatusOK).Object().Items("items")); n != 0 {
		t.Errorf("an official finds %d reports by an anonymous reporter", n)
	}
	if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND type = 'report_verified'`, person.ID); n != 1 {
		t.Error("the reporter is not told")
	}
	export := person.Get("/users/me/export").Want(http.StatusOK)
	if list := export.Object().Items("records.filed_for_me"); len(list) != 2 || list[0].Text("phone_number") == "" {
		t.Errorf("the export: %s", export.Body)
	}
	if list := mod.Get("/users/me/export").Want(http.StatusOK); len(list.Object().Items("records.filed_by_me")) != 3 || strings.Contains(string(list.Body), "7700 1122") {
		t.Errorf("the export of staff: %s", list.Body)
	}
	person.Do(http.MethodDelete, "/users/"+person.ID.String(), nil).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM report_contacts WHERE email = $1 OR phone_number IS NOT NULL`, caller); n != 0 {
		t.Error("the erasure leaves what staff wrote down")
	}
	if got := w.Text(`SELECT title FROM reports WHERE id = $1`, mine); got == "Hole" {
		t.Error("the words stay")
	}
}

// Every way to prove the address claims the reports, also where the account was confirmed before. More than one transaction claims
// are claimed at once.
func TestEveryProofClaimsReports(t *testing.T) {
	t.Parallel()
	for name, prove := range map[string]func(w *testenv.System){
		"code": func(w *testenv.System) { byCode(w, caller) },
		"registration": func(w *testenv.System) {
			w.Anonymous().Post("/auth/register", object{"email": caller, "password": password, "full_name": "Domingos"}).Want(http.StatusCreated)
			w.Anonymous().Post("/auth/verify-otp", object{"email": caller, "otp": lastMail(w, caller).Params["code"]}).Want(http.StatusOK)
		},
		"link": func(w *testenv.System) {
			w.Anonymous().Post("/users/register", object{"email": caller, "password": password, "name": "Domingos"}).Want(http.StatusCreated)
			w.Anonymous().Get("/users/verify-email?token=" + tokenIn(w, lastMail(w, caller))).Want(http.StatusOK)
		},
		"reset": func(w *testenv.System) {
			w.Exec(`INSERT INTO users (id, email, email_verified_at) VALUES (gen_random_uuid(), $1, now())`, caller)
			w.Anonymous().Post("/auth/forgot-password", object{"email": caller}).Want(http.StatusOK)
			w.Anonymous().Post("/auth/reset-password", object{"email": caller, "otp": lastMail(w, caller).Params["code"], "new_password": password}).Want(http.StatusOK)
		},
		"invitation": func(w *testenv.System) {
			w.Staff(identity.Admin).Post("/admin/users/invite", invitation("moderator", object{"email": caller})).Want(http.StatusCreated)
			w.Anonymous().Post("/users/update-password", object{"token": tokenIn(w, lastMail(w, caller)), "new_password": password}).Want(http.StatusOK)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			mod := w.Staff(identity.Moderator)
			const filed = 52
			for half := range 2 {
				var items []object
				for n := range filed / 2 {
					items = append(items, assisted(object{"latitude": -8.5 - float64(half*100+n)/1000}))
				}
				mod.Post("/reports/batch", object{"reports": items}).Want(http.StatusOK)
			}
			prove(w)
			if n := w.Int(`SELECT count(*) FROM reports r JOIN users u ON u.id = r.user_id WHERE u.email = $1`, caller); n != filed {
				t.Errorf("%d reports are claimed, want %d", n, filed)
			}
		})
	}
}

func lastMail(w *testenv.System, address string) mail.Message {
	w.Helper()
	all := mailsTo(w, address)
	if len(all) == 0 {
		w.Fatalf("no mail to %s", address)
	}
	return all[len(all)-1]
}

// A sign-in works while the log takes no events. The reports are claimed later.
func TestASignInWorksWhileTheLogIsHalted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Staff(identity.Moderator).Post("/reports", assisted(nil)).Want(http.StatusCreated)
	w.Exec(`UPDATE log_counter SET halted = 'a test'`)
	person := byCode(w, caller)
	if n := w.Int(`SELECT count(*) FROM reports WHERE user_id IS NOT NULL`); n != 0 {
		t.Error("a report has a reporter without its event")
	}
	w.Exec(`UPDATE log_counter SET halted = NULL`)
	w.Exec(`UPDATE one_time_codes SET created_at = created_at - interval '2 minutes'`)
	byCode(w, caller)
	if n := w.Int(`SELECT count(*) FROM reports WHERE user_id = $1`, person.ID); n != 1 {
		t.Error("the report waits for ever")
	}
}

// failedChecks returns the names of the failed checks of a report. Its newest event is not published yet: "anchored" fails.
func failedChecks(c *testenv.Client, report string) []string {
	var failed []string
	checks, _ := c.Get("/blockchain/report/" + report + "/verify").Want(http.StatusOK).Object().At("checks").([]any)
	for _, check := range checks {
		if check := check.(map[string]any); check["ok"] != true {
			failed = append(failed, check["name"].(string))
		}
	}
	return failed
}

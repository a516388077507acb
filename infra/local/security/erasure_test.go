package security

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// A person deletes the account. Nothing that they wrote is left anywhere in the database, also not in what others were
// told and answered; the reports stay, and what the ledger holds of them still verifies.
func TestErasureTakesEveryWord(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, rui, moderator := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	maria.Patch("/users/me", object{"full_name": "Marialva Zorro"}).Want(http.StatusOK)
	mine := maria.Post("/reports", draft(object{"title": "zorrotitle", "description": "zorrodescription", "issue_type": "zorrotype", "address": "zorroaddress",
		"device_info": object{"model": "zorrophone"}, "latitude": -8.5569123, "longitude": 125.5603987})).Want(http.StatusCreated).Object().Text("id")
	const key = "2b0d0c1e-staff"
	override := object{"is_relevant": true, "note": "seen by staff"}
	moderator.With("Idempotency-Key", key).Post("/reports/"+mine+"/ai-analysis/override", override).Want(http.StatusOK)
	anonymous := maria.Post("/reports", draft(object{"title": "zorrosecret", "is_anonymous": true, "latitude": -8.57})).Want(http.StatusCreated).Object().Text("id")
	moderator.With("Idempotency-Key", key+"2").Post("/reports/"+anonymous+"/ai-analysis/override", override).Want(http.StatusOK)
	withdrawn := maria.Post("/reports", draft(object{"title": "zorrowithdrawn", "latitude": -8.58})).Want(http.StatusCreated).Object().Text("id")
	maria.Delete("/reports/" + withdrawn).Want(http.StatusOK)
	theirs := rui.Post("/reports", draft(object{"latitude": -8.59})).Want(http.StatusCreated).Object().Text("id")
	moderator.Post("/reports/"+theirs+"/status", object{"status": "verified"}).Want(http.StatusOK)
	comment := maria.Post("/reports/"+theirs+"/comments", object{"content": "zorrocomment"}).Want(http.StatusCreated).Object().Text("id")
	attached := uploaded(maria, w, 1)
	w.ProcessUpload(attached)
	pictured := maria.Post("/reports", draft(object{"images": []object{{"upload_id": attached}}, "latitude": -8.6})).Want(http.StatusCreated).Object().Text("id")
	image := w.Text(`SELECT id::text FROM report_images WHERE report_id = $1`, uuid.MustParse(pictured))
	for _, path := range []string{"/reports/" + mine, "/reports/" + pictured + "/images/" + image, "/reports/" + theirs + "/comments/" + comment} {
		moderator.Post(path+"/hide", object{"reason_code": "other", "note": "zorronote"}).Want(http.StatusOK)
		moderator.Post(path+"/unhide", object{"note": "zorroshown"}).Want(http.StatusOK)
	}
	loose := uploaded(maria, w, 2)

	admin := w.Staff(identity.Admin)
	moderator.Patch("/reports/"+mine, object{"title": "zorrorewritten", "description": "zorrorewritten"}).Want(http.StatusOK)
	moderator.Patch("/reports/"+mine, object{"title": "zorroagain", "address": "zorrohouse"}).Want(http.StatusOK)
	admin.Patch("/admin/users/"+maria.ID.String(), object{"reason": "zorroreason"}).Want(http.StatusOK)
	w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, title, description, relevance_reason,
		recommended_repair, hazards, raw) VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'verdict', 'm', 'p', '', 'completed', 'zorro', 'zorro', 'zorro', 'zorro', '{zorro}', '{"said": "zorro"}')`, mine)
	moderator.Post("/reports/"+theirs+"/comments/"+comment+"/hide", object{"reason_code": "offensive", "note": "zorronote"}).Want(http.StatusOK)
	w.Exec(`INSERT INTO report_contacts (report_id, full_name, phone_number, email) VALUES ($1, 'Zorro', '+67077000009', $2)`, theirs, maria.Email) // not claimed
	left := w.Citizen()                                                                                                                             // who does not follow the report any more
	w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params) VALUES (gen_random_uuid(), $1, 'comment_added', 'comment:' || $2::text, $3,
		'{"author": "Zorro", "comment": "zorrocomment"}')`, left.ID, comment, theirs)
	maria.Delete("/users/" + maria.ID.String()).Want(http.StatusOK)

	for _, table := range tables(w.Text(`SELECT string_agg(format('%I', table_name), ' ') FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)) {
		if n := w.Int(`SELECT count(*) FROM ` + table + ` t WHERE t::text ILIKE '%zorro%'`); n != 0 {
			t.Errorf("%d rows of %s still have what the person wrote", n, table)
		}
	}
	// Texts in columns of bytes.
	if n := w.Int(`SELECT count(*) FROM idempotency_keys WHERE position('orro'::bytea IN response) > 0`); n != 0 {
		t.Errorf("%d stored answers name the person", n)
	}
	moderator.With("Idempotency-Key", key).Post("/reports/"+mine+"/ai-analysis/override", override).WantProblem(http.StatusGone, "answer_erased")
	log := string(admin.Get("/admin/audit?entity_id=" + mine).Want(http.StatusOK).Body)
	if strings.Count(log, "report.amend") != 2 || !strings.Contains(log, "severity") {
		t.Errorf("the audit log does not have what was done: %s", log)
	}
	seen := rui.Get("/reports/" + mine).Want(http.StatusOK).Object()
	if seen.Text("title") != "Other" || seen.Text("description") != "" || seen.Values["reporter"] != nil || seen.Text("status") != "verified" ||
		seen.Values["latitude"] != -8.5569 || seen.Values["longitude"] != 125.5604 {
		t.Errorf("the report is seen as %v", seen.Values)
	}
	for _, id := range []string{mine, anonymous, withdrawn, pictured} {
		if n := w.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'CONTENT_ERASED'`, uuid.MustParse(id)); n != 1 {
			t.Errorf("report %s has %d events of the erasure, want 1", id, n)
		}
	}
	if got := rui.Get("/blockchain/report/" + mine + "/verify").Want(http.StatusOK); strings.Contains(string(got.Body), "differ") {
		t.Errorf("the report does not verify: %s", got.Body)
	}
	if got := rui.Get("/reports/" + theirs + "/comments").Want(http.StatusOK); !strings.Contains(string(got.Body), comment) {
		t.Errorf("the comment is gone altogether: %s", got.Body)
	}
	for id, want := range map[string]string{attached: "original", loose: "all"} {
		if got := w.Text(`SELECT coalesce(deletion, '') FROM uploads WHERE id = $1`, uuid.MustParse(id)); got != want {
			t.Errorf("of upload %s relay deletes %q, want %q", id, got, want)
		}
	}
	if n := w.Int(`SELECT count(*) FROM report_status_history WHERE note = 'seen by staff'`); n == 0 {
		t.Error("the notes of staff are gone")
	}
}

func tables(names string) []string { return strings.Fields(names) }

// A code of a mail stands for the password, for people who have none. It is theirs alone.
func TestAMailedCodeErasesTheAccount(t *testing.T) {
	t.Parallel()
	w := setupPush(t)
	ana, rui := w.owner(identity.Citizen), w.owner(identity.Citizen)
	w.Exec(`UPDATE users SET password_hash = NULL WHERE id = $1`, ana.id)
	w.Anonymous().Post("/auth/email-code", object{"email": ana.email}).Want(http.StatusOK)
	code := ana.mailed("code")
	rui.phone.Do(http.MethodDelete, "/users/me", object{"otp": code}).Want(http.StatusBadRequest)
	ana.phone.Do(http.MethodDelete, "/users/me", object{"otp": "no code"}).WantProblem(http.StatusBadRequest, "otp_invalid")
	ana.phone.Do(http.MethodDelete, "/users/me", object{}).WantProblem(http.StatusBadRequest, "password_required")
	ana.phone.Do(http.MethodDelete, "/users/me", object{"otp": code[:3] + " " + code[3:] + "."}).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM users WHERE id = $1 AND deleted_at IS NOT NULL`, ana.id) + w.Int(`SELECT count(*) FROM users WHERE id = $1 AND deleted_at IS NULL`, rui.id); n != 2 {
		t.Error("the wrong account is gone")
	}
}

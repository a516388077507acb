package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	const path = "/admin/announcements"
	boss := b.WithToken(b.admin.Token)
	full := fields{"title": fields{"tet": " Estrada  taka ", "pt": "Estrada fechada", "en": "Road closed"},
		"body": fields{"tet": "Ponte Comoro.\nLoron rua.", "pt": "Ponte de Comoro.", "en": "Comoro bridge."}, "municipality_code": "tl-di"}
	for _, role := range []identity.Role{identity.Citizen, identity.Moderator, identity.Official} {
		b.WithToken(b.signer.SignIn(b.db, role).Token).Do(http.MethodPost, path, full).WantProblem(403, "forbidden")
	}
	made := boss.Do(http.MethodPost, path, full).Want(201).Object()
	if made.Text("title.tet") != "Estrada taka" || made.Text("body.tet") != "Ponte Comoro.\nLoron rua." || made.Text("municipality_code") != "TL-DI" || made.Text("created_at") == "" {
		t.Errorf("made: %v", made.Values)
	}
	// A language that is left out has the words of the first that is there.
	partly := boss.Do(http.MethodPost, path, fields{"title": fields{"en": "Storm", "pt": "Temporal"}, "body": fields{"pt": "Fique em casa.", "en": "Stay at home."}}).Want(201).Object()
	if partly.Text("title.tet") != "Temporal" || partly.Text("body.tet") != "Fique em casa." || partly.Text("body.en") != "Stay at home." || partly.At("municipality_code") != nil {
		t.Errorf("made of two languages: %v", partly.Values)
	}
	var stored string
	const q = `SELECT string_agg((title ->> 'tet') || ' ' || coalesce(municipality_code, '-') || ' ' || (created_by = $1) || ' ' || sent_count || ' ' || (finished_at IS NULL), ', ' ORDER BY id) FROM announcements`
	if err := b.db.QueryRow(t.Context(), q, b.admin.ID).Scan(&stored); err != nil || stored != "Estrada taka TL-DI true 0 true, Temporal - true 0 true" {
		t.Errorf("stored: %s (%v)", stored, err)
	}
	word := func(s string) fields { return fields{"en": s} }
	for name, bad := range map[string]fields{
		"no words":             {"title": fields{}, "body": fields{}},
		"empty words":          {"title": word(" "), "body": word("\n")},
		"no title":             {"title": fields{"pt": "x"}, "body": word("x")},
		"no body":              {"title": word("x"), "body": fields{}},
		"long title":           {"title": word(strings.Repeat("x", 151)), "body": word("x")},
		"long body":            {"title": word("x"), "body": word(strings.Repeat("x", 2001))},
		"unknown municipality": {"title": word("x"), "body": word("x"), "municipality_code": "TL-XX"},
	} {
		if a := boss.Do(http.MethodPost, path, bad); a.Status != 422 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	key := boss.With("Idempotency-Key", uuid.NewString())
	first := key.Do(http.MethodPost, path, partlyAgain()).Want(201)
	second := key.Do(http.MethodPost, path, partlyAgain()).Want(201)
	if first.Object().Text("id") != second.Object().Text("id") {
		t.Error("a repeated request announces it twice")
	}
	var rows, entries int
	const count = `SELECT (SELECT count(*) FROM announcements), (SELECT count(*) FROM audit_log WHERE action = 'announcement.create' AND actor_id = $1)`
	if err := b.db.QueryRow(t.Context(), count, b.admin.ID).Scan(&rows, &entries); err != nil || rows != 3 || entries != 3 {
		t.Errorf("%d announcements, %d entries in the audit log (%v)", rows, entries, err)
	}
}

func partlyAgain() fields {
	return fields{"title": fields{"en": "Storm"}, "body": fields{"en": "Over."}}
}

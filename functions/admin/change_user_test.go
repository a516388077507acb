package admin_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/seal"
)

// mails are the mails that wait to be sent, in order.
func (b *bundle) mails() []mail.Message {
	b.t.Helper()
	sealer, err := seal.New(seal.Config{Keys: []string{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))}})
	if err != nil {
		b.t.Fatal(err)
	}
	rows, err := b.db.Query(b.t.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY id`)
	if err != nil {
		b.t.Fatal(err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		b.t.Fatal(err)
	}
	var out []mail.Message
	for _, raw := range bodies {
		var body struct{ Mail []byte }
		if err := json.Unmarshal(raw, &body); err != nil {
			b.t.Fatal(err)
		}
		m, err := mail.Open(sealer, body.Mail)
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// Whoever is suspended is signed out everywhere, so they are told by mail, once, in their language.
func TestASuspendedPersonIsTold(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	p := b.signer.SignInAs(b.db, identitytest.Person{Email: "maria@example.tl"})
	if _, err := b.db.Exec(t.Context(), `UPDATE users SET preferred_language = 'tet', email_verified_at = now() WHERE id = $1`, p.ID); err != nil {
		t.Fatal(err)
	}
	path := "/admin/users/" + p.ID.String()
	for _, body := range []fields{{"suspended": true, "reason": "abuse"}, {"suspended": true}, {"suspended": true, "reason": "more of it"}, {"suspended": false}, {"role": "moderator"}} {
		b.WithToken(b.admin.Token).Do(http.MethodPatch, path, body).Want(http.StatusOK)
	}
	got := b.mails()
	if len(got) != 2 || got[0].Template != mail.AccountSuspended || got[1].Template != mail.AccountReinstated || got[0].To != "maria@example.tl" || got[0].Language != "tet" {
		t.Errorf("mailed %+v", got)
	}
}

// A request that changes nothing is not in the log, and no time of change moves.
func TestWhatChangesNothingIsNotLogged(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	p := b.signer.SignInAs(b.db, identitytest.Person{Email: "maria@example.tl"})
	as := b.WithToken(b.admin.Token)
	agency := as.Do(http.MethodPost, "/admin/agencies", fields{"code": "X1", "name": "Obras", "agency_type": "national", "issue_types": []string{"pothole"}}).Want(http.StatusCreated).Object()
	settings := as.Do(http.MethodGet, "/admin/settings", nil).Want(http.StatusOK).Object().Values
	seen := func() string {
		t.Helper()
		var out string
		const q = `SELECT concat((SELECT count(*) FROM audit_log), (SELECT concat(u.*) FROM users u WHERE id = $1), (SELECT concat(a.*) FROM agencies a), (SELECT count(*) FROM app_settings))`
		if err := b.db.QueryRow(t.Context(), q, p.ID).Scan(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := seen()
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"PATCH", "/admin/users/" + p.ID.String(), fields{}},
		{"PATCH", "/admin/users/" + p.ID.String(), fields{"role": "Citizen", "suspended": false, "agency_id": nil}},
		{"PATCH", "/admin/agencies/" + agency.Text("id"), fields{}},
		{"PATCH", "/admin/agencies/" + agency.Text("id"), fields{"name": "Obras", "issue_types": []string{"pothole"}, "contact_email": nil}},
		{"PUT", "/admin/settings", settings},
	} {
		as.Do(c.method, c.path, c.body).Want(http.StatusOK)
		if seen() != before {
			t.Errorf("%s %s %v changed something", c.method, c.path, c.body)
		}
	}
}

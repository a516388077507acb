package notification_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

func TestAddIsOncePerPersonAndEvent(t *testing.T) {
	t.Parallel()
	db := &database.DB{Pool: testdb.Pool(t)}
	box := outbox.New(db, nil, slog.New(slog.DiscardHandler))
	ana, rui := person(t, db), person(t, db)
	add := func(n notification.New, fail error) error {
		return box.Do(t.Context(), func(tx *outbox.Tx) error {
			if err := notification.Add(t.Context(), tx, n); err != nil {
				return err
			}
			return fail
		})
	}
	steps := []struct {
		name           string
		new            notification.New
		fail           error
		rows, messages int
	}{
		{"rolled back with its work", notification.New{UserID: ana, Type: notification.Announcement, EventKey: "a"}, errors.New("no"), 0, 0},
		{"first", notification.New{UserID: ana, Type: notification.Announcement, EventKey: "a"}, nil, 1, 1},
		{"again", notification.New{UserID: ana, Type: notification.Announcement, EventKey: "a"}, nil, 1, 1},
		{"other event", notification.New{UserID: ana, Type: notification.Announcement, EventKey: "b"}, nil, 2, 2},
		{"other person", notification.New{UserID: rui, Type: notification.Announcement, EventKey: "a"}, nil, 3, 3},
		{"nobody", notification.New{UserID: database.NewID(), Type: notification.Announcement, EventKey: "a"}, nil, 3, 3},
	}
	for _, s := range steps {
		if err := add(s.new, s.fail); !errors.Is(err, s.fail) {
			t.Fatalf("%s: %v", s.name, err)
		}
		if rows := count(t, db, `SELECT count(*) FROM notifications`); rows != s.rows {
			t.Errorf("%s: %d notifications, want %d", s.name, rows, s.rows)
		}
		if n := count(t, db, `SELECT count(*) FROM outbox WHERE queue = 'notify' AND body ? 'notification_id'`); n != s.messages {
			t.Errorf("%s: %d messages, want %d", s.name, n, s.messages)
		}
	}
}

func TestEveryTypeHasItsTextInEveryLanguage(t *testing.T) {
	t.Parallel()
	params := map[string]string{"report_number": "LS-2026-000001", "status": "fixed", "reason": "irrelevant", "agency": "Obras",
		"original_number": "LS-2026-000002", "author": "Ana", "comment": "thanks", "announcement": "image_refused", "due": "5.12.2026",
		"suggested": "MOP", "count": "7", "numbers": "LS-2026-000001"}
	for _, l := range locale.Languages() {
		for _, typ := range notification.Types() {
			title, body := notification.Text(l, typ, params)
			if title == "" || body == "" || strings.ContainsAny(title+body, "{}") {
				t.Errorf("%s %s: title %q, body %q", l, typ, title, body)
			}
			for _, v := range notification.Variants(typ) {
				special := maps.Clone(params)
				special["variant"] = string(v)
				title2, body2 := notification.Text(l, typ, special)
				if title2 == "" || body2 == "" || body2 == body || strings.ContainsAny(title2+body2, "{}") {
					t.Errorf("%s %s.%s: title %q, body %q", l, typ, v, title2, body2)
				}
			}
		}
		for _, typ := range []notification.Type{notification.ReportRejected, notification.ReportRemoved} {
			for _, code := range report.ReasonCodes() {
				_, body := notification.Text(l, typ, map[string]string{"report_number": "N", "reason": string(code), "note": "Look."})
				label, ok := locale.Text(l, "notification.reason."+string(code), nil)
				if want := strings.Contains(body, label); !ok || !strings.Contains(body, "Look.") || want == (code == report.ReasonOther) {
					t.Errorf("%s %s for %s: %q", l, typ, code, body)
				}
			}
		}
		if _, body := notification.Text(l, notification.ReportRejected, map[string]string{"report_number": "N"}); body == "" || strings.ContainsAny(body, "{}") {
			t.Errorf("%s rejected without reason: %q", l, body)
		}
	}
	if title, _ := notification.Text(locale.Portuguese, notification.ReportStatusChanged, params); title != "Relato LS-2026-000001: reparado" {
		t.Errorf("status is not in the reader's language: %q", title)
	}
	if _, body := notification.Text(locale.English, notification.ReportRejected, map[string]string{"report_number": "N", "reason": "A garden."}); !strings.Contains(body, "A garden.") {
		t.Errorf("a person's own reason is lost: %q", body)
	}
}

// What an official wrote about a change of status is part of the notification.
func TestANoteFollowsTheText(t *testing.T) {
	t.Parallel()
	for _, typ := range []notification.Type{notification.ReportFixed, notification.ReportStatusChanged} {
		_, body := notification.Text(locale.English, typ, map[string]string{"report_number": "N", "status": "fixed", "note": "Filled."})
		if !strings.HasSuffix(body, " Note: Filled.") {
			t.Errorf("%s: %q", typ, body)
		}
	}
}

// The agency has its name in the reader's language. Rows from before have one name, that in English.
func TestTheAgencyIsNamedInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	all := notification.AgencyParams("Public Works", "Obras Públikas", "Obras Públicas")
	for _, c := range []struct {
		language locale.Language
		typ      notification.Type
		params   map[string]string
		want     string
	}{
		{locale.Tetum, notification.ReportAssigned, all, "Relatóriu N agora iha Obras Públikas nia liman."},
		{locale.Portuguese, notification.ReportAssigned, all, "O relato N está agora com Obras Públicas."},
		{locale.English, notification.ReportAssigned, all, "Report N is now assigned to Public Works."},
		{locale.Tetum, notification.ReportAssigned, notification.AgencyParams("Public Works", "", ""), "Relatóriu N agora iha Public Works nia liman."},
		{locale.Tetum, notification.ReportAssigned, map[string]string{"agency": "Public Works"}, "Relatóriu N agora iha Public Works nia liman."},
		{locale.Portuguese, notification.ReportFixed, all, " Entidade: Obras Públicas. Nota: Feito."},
		{locale.English, notification.ReportRejected, all, "You may appeal: open “My reports”."},
		{locale.Tetum, notification.ReportFixed, map[string]string{}, "Obrigadu tanba Ita fó-hatene ami. Nota: Feito."},
	} {
		params := maps.Clone(c.params)
		params["report_number"] = "N"
		if c.typ == notification.ReportFixed {
			params["note"] = "Feito."
		}
		if _, body := notification.Text(c.language, c.typ, params); !strings.HasSuffix(body, c.want) {
			t.Errorf("%s %s of %v: %q, want it to end in %q", c.language, c.typ, c.params, body, c.want)
		}
	}
}

// A notification about a report names the agency that has it, whatever made the notification.
func TestANotificationKnowsTheAgencyOfItsReport(t *testing.T) {
	t.Parallel()
	db := &database.DB{Pool: testdb.OwnerPool(t)}
	box := outbox.New(db, nil, slog.New(slog.DiscardHandler))
	ana := person(t, db)
	reports, agency := []uuid.UUID{database.NewID(), database.NewID()}, database.NewID()
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`INSERT INTO agencies (id, code, name, name_tet, agency_type) VALUES ($1, 'OP', 'Public Works', 'Obras Públikas', 'national')`, agency)
	for i, r := range reports {
		run(`INSERT INTO reports (id, report_number, user_id, issue_type, latitude, longitude, content_hash) VALUES ($1, $2, $3, 'pothole', -8.5, 125.5, '')`,
			r, fmt.Sprintf("LS-2026-00000%d", i), ana)
	}
	run(`UPDATE reports SET assigned_agency_id = $2 WHERE id = $1`, reports[1], agency)
	for i, want := range []string{"<nil> <nil> LS-2026-000000", "Public Works Obras Públikas LS-2026-000001"} {
		err := box.Do(t.Context(), func(tx *outbox.Tx) error {
			return notification.Add(t.Context(), tx, notification.New{UserID: ana, Type: notification.ReportFixed, EventKey: fmt.Sprint(i), ReportID: reports[i]})
		})
		if err != nil {
			t.Fatal(err)
		}
		var params map[string]any
		if err := db.QueryRow(t.Context(), `SELECT params FROM notifications WHERE event_key = $1`, fmt.Sprint(i)).Scan(&params); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(params["agency"], " ", params["agency_tet"], " ", params["report_number"]); got != want {
			t.Errorf("report %d: %q, want %q", i, got, want)
		}
	}
}

func TestPrefs(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][2]bool{
		`{}`:                           {true, true},
		`nonsense`:                     {true, true},
		`{"email": false}`:             {false, true},
		`{"push": false}`:              {true, false},
		`{"muted": ["comment_added"]}`: {false, false},
	} {
		p := notification.ParsePrefs([]byte(raw))
		if got := [2]bool{p.Mail(notification.CommentAdded), p.PushTo(notification.CommentAdded)}; got != want {
			t.Errorf("%s: mail, push = %v, want %v", raw, got, want)
		}
		if raw != `nonsense` && strings.Contains(raw, "muted") && !p.Mail(notification.ReportFixed) {
			t.Errorf("%s: silences other types", raw)
		}
	}
}

func person(t *testing.T, db *database.DB) uuid.UUID {
	t.Helper()
	id := database.NewID()
	if _, err := db.Exec(t.Context(), `INSERT INTO users (id, email) VALUES ($1, $2)`, id, id.String()+"@example.org"); err != nil {
		t.Fatal(err)
	}
	return id
}

func count(t *testing.T, db *database.DB, sql string) int {
	t.Helper()
	var n int
	if err := db.QueryRow(context.WithoutCancel(t.Context()), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Somebody who signed in with a code from a mail has no name until they set one.
func TestAnAuthorWithoutANameIsACitizen(t *testing.T) {
	t.Parallel()
	for l, want := range map[locale.Language]string{locale.English: "A citizen wrote: hi", locale.Portuguese: "Um cidadão escreveu: hi", locale.Tetum: "Sidadaun ida hakerek: hi"} {
		_, body := notification.Text(l, notification.CommentAdded, map[string]string{"report_number": "1", "author": "", "comment": "hi"})
		if body != want {
			t.Errorf("%s: %q, want %q", l, body, want)
		}
	}
}

package notification_test

import (
	"context"
	"errors"
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
		"original_number": "LS-2026-000002", "author": "Ana", "comment": "thanks", "announcement": "image_refused", "due": "5.12.2026"}
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

package security

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The functions give a report no other author: not without the contact, not without the event, and never a second one.
func TestTheAuthorOfAReportIsGuarded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mod, maria := w.Staff(identity.Moderator), w.Citizen()
	unclaimed := mod.Post("/reports", assisted(nil)).Want(http.StatusCreated).Object().Text("id")
	own := maria.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
	w.Exec(`UPDATE users SET email = $2 WHERE id = $1`, maria.ID, caller)
	for name, sql := range map[string]string{
		"without an event": `UPDATE reports SET user_id = '` + maria.ID.String() + `' WHERE id = '` + unclaimed + `'`,
		"a second author":  `UPDATE reports SET user_id = '` + mod.ID.String() + `' WHERE id = '` + own + `'`,
		"nobody":           `UPDATE reports SET user_id = NULL WHERE id = '` + own + `'`,
	} {
		db, err := database.Open(t.Context(), database.Config{URL: w.Env["DATABASE_URL"], MaxConns: 1, ExecMode: "cache_statement"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "author of a report") {
			t.Errorf("%s: %v", name, err)
		}
		db.Close()
	}
}

// The person is mailed in their language with the receipt, then what a reporter is told, until they end it.
func TestTheCallerIsMailed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mails, err := smtp.Start(smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Close() })
	w.Env["SMTP_URL"], w.Env["PUBLIC_BASE_URL"] = mails.URL(), "https://lafaek.example"
	worker, err := notify.Open(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	mod := w.Staff(identity.Moderator)
	id := mod.Post("/reports", assisted(object{"on_behalf_of": object{"email": caller, "preferred_language": "en"}})).Want(http.StatusCreated).Object().Text("id")
	deliver := func() {
		t.Helper()
		var batch events.SQSEvent
		rows, err := w.DB.Query(t.Context(), `SELECT body FROM outbox WHERE queue = 'notify' AND body ? 'contact' ORDER BY created_at, id`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var body json.RawMessage
			if err := rows.Scan(&body); err != nil {
				t.Fatal(err)
			}
			batch.Records = append(batch.Records, events.SQSMessage{MessageId: uuid.NewString(), Body: string(body)})
		}
		if failed, err := worker.Handle(t.Context(), batch); err != nil || len(failed.BatchItemFailures) > 0 {
			t.Fatal(failed, err)
		}
	}
	deliver()
	deliver() // each mail once
	mod.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "other", "note": "A court asked for it"}).Want(http.StatusOK)
	deliver()
	sent := mails.Mails(caller)
	if len(sent) != 2 || sent[0].To[0] != caller {
		t.Fatalf("%d mails: %+v", len(sent), sent)
	}
	first, second := sent[1].Text, sent[0].Text // the newest is first
	for _, part := range []string{"somebody of the staff", "Receipt of the public log:\nlafaekstreet-test/log\nLS-", "https://lafaek.example/r/LS-", "/unsubscribe/"} {
		if !strings.Contains(first, part) {
			t.Errorf("the first mail has no %q: %s", part, first)
		}
	}
	if sent[1].Headers["List-Unsubscribe-Post"] == nil {
		t.Errorf("headers: %v", sent[0].Headers)
	}
	if !strings.Contains(second, "A court asked for it") || strings.Contains(second, "Receipt of") {
		t.Errorf("the second mail: %s", second)
	}
	mod.Post("/reports/"+id+"/status", object{"status": "pending", "note": "Seen again"}).Want(http.StatusOK)
	w.Exec(`UPDATE report_contacts SET muted_at = now()`) // while a message waits
	waiting := w.Int(`SELECT count(*) FROM outbox WHERE body ? 'contact'`)
	mod.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM outbox WHERE body ? 'contact'`); n != waiting {
		t.Error("another message is sent")
	}
	deliver()
	if n := len(mails.Mails(caller)); n != 2 {
		t.Errorf("%d mails after the person ended them", n)
	}
}

package notify

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// commentedReport adds a report that comments are about.
func (b *bundle) commentedReport(number string) uuid.UUID {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude) VALUES ($1, $2, $3, '', 'pothole', -8.55, 125.57)`, id, number, b.person)
	return id
}

// comment adds a comment and its notification, and returns the message of the notification.
func (b *bundle) comment(report uuid.UUID, text string) string {
	b.t.Helper()
	id := database.NewID()
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, is_official) VALUES ($1, $2, $3, $4, false)`, id, report, b.person, text)
	err := b.kit.Outbox.Do(b.t.Context(), func(tx *outbox.Tx) error {
		return notification.Add(b.t.Context(), tx, notification.New{UserID: b.person, Type: notification.CommentAdded, EventKey: "comment:" + id.String(),
			ReportID: report, Params: map[string]string{"author": "Rui", "comment": text}})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.text(`SELECT body::text FROM outbox WHERE queue = 'notify' ORDER BY created_at DESC, id DESC LIMIT 1`)
}

// anHourLater lets an hour pass for mails about comments.
func (b *bundle) anHourLater() {
	b.t.Helper()
	b.exec(`UPDATE comment_mails SET begun_at = begun_at - interval '1 hour'`)
}

// states counts the mails by state.
func (b *bundle) states() string {
	b.t.Helper()
	return b.text(`SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (
		SELECT state, count(*) AS n FROM notification_deliveries WHERE channel = 'mail' GROUP BY state) s`)
}

// Thirty comments within an hour are two mails and thirty pushes. Another report has
// mails of its own.
func TestCommentsGatherIntoOneMailAnHour(t *testing.T) {
	t.Parallel()
	for language, subject := range map[string]string{"en": "29 new comments on LS-1", "pt": "29 novos comentários em LS-1", "tet": "Komentáriu foun 29 iha LS-1"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.exec(`UPDATE users SET preferred_language = $1`, language)
			report := b.commentedReport("LS-1")
			var messages []string
			for i := range 30 {
				messages = append(messages, b.comment(report, fmt.Sprintf("words-%02d.", i)))
			}
			for _, m := range messages {
				for range 2 { // SQS may deliver a message twice
					if b.deliver(m, 1) {
						t.Error("a message came back")
					}
				}
			}
			if got := b.arrived(); got != "1 mails 30 pushes" {
				t.Fatalf("%s arrived", got)
			}
			b.deliver(b.comment(b.commentedReport("LS-2"), "elsewhere"), 1)
			if got := b.arrived(); got != "2 mails 31 pushes" {
				t.Errorf("%s arrived after a comment on another report", got)
			}
			b.anHourLater()
			for _, m := range messages[1:] {
				if b.deliver(m, 2) {
					t.Error("a message came back")
				}
			}
			mails := b.mails.Mails(address)
			if len(mails) != 3 || b.states() != "sent 31" {
				t.Fatalf("%d mails, states %s", len(mails), b.states())
			}
			last := mails[0] // the newest
			if last.Subject != subject || !strings.Contains(last.Text, "words-01.") || !strings.Contains(last.Text, "words-20.") ||
				strings.Contains(last.Text, "words-21.") || !strings.Contains(last.Text, "9") {
				t.Errorf("the gathered mail: %s\n%s", last.Subject, last.Text)
			}
		})
	}
}

// Each comment is in exactly one mail.
func TestAGatheredMailIsSentAfterARunWasKilledAnywhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for at := 1; ; at++ {
		before := len(b.mails.Mails(address))
		report := b.commentedReport(fmt.Sprintf("LS-%d", at))
		first, second, third := b.comment(report, "one."), b.comment(report, "two."), b.comment(report, "three.")
		for _, m := range []string{first, second, third} {
			b.deliver(m, 1)
		}
		b.anHourLater()
		d := &kill{at: at}
		b.deliverTo(b.traced(d), second)
		b.deliver(second, 2)
		b.deliver(third, 2)
		b.endLease()
		for range 2 { // as long as something waits, relay sends its message
			b.deliver(second, 3)
			b.deliver(third, 3)
		}
		var text strings.Builder
		for _, m := range b.mails.Mails(address)[before:] {
			text.WriteString(m.Text)
		}
		for _, words := range []string{"one.", "two.", "three."} {
			if n := strings.Count(text.String(), words); n != 1 {
				t.Errorf("kill at statement %d: %q is in %d mails: %s", at, words, n, b.states())
			}
		}
		if !d.struck {
			if at < 10 {
				t.Errorf("only %d deaths", at-1)
			}
			return
		}
	}
}

// Comments that come at the same time, to several processes, are one mail.
func TestCommentsAtTheSameTimeAreOneMail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	report := b.commentedReport("LS-1")
	var wg sync.WaitGroup
	for i := range 8 {
		message := b.comment(report, fmt.Sprint(i))
		wg.Go(func() { b.deliver(message, 1) })
	}
	wg.Wait()
	if got := b.states(); len(b.mails.Mails(address)) != 1 || got != "sent 1, waiting 7" {
		t.Errorf("%d mails, states %s", len(b.mails.Mails(address)), got)
	}
}

// A gathered mail that the server does not take now is sent later, with everything that was in it.
func TestAGatheredMailIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	report := b.commentedReport("LS-1")
	first, second, third := b.comment(report, "one."), b.comment(report, "two."), b.comment(report, "three.")
	for _, m := range []string{first, second, third} {
		b.deliver(m, 1)
	}
	b.anHourLater()
	if err := b.faults.Add(faults.Fault{Service: "smtp", Mode: faults.Error, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if !b.deliver(second, 2) {
		t.Error("the message did not come back")
	}
	b.deliver(second, 3)
	mails := b.mails.Mails(address)
	if len(mails) != 2 || !strings.Contains(mails[0].Text, "two.") || !strings.Contains(mails[0].Text, "three.") || b.states() != "sent 3" {
		t.Errorf("%d mails, states %s", len(mails), b.states())
	}
}

// A comment that is removed while it waits is in no mail, whoever removed it. Without any comment no mail is sent.
func TestARemovedCommentIsNotDelivered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		remove string
		mails  int // after the first
		states string
	}{
		"oldest of those that wait": {`UPDATE report_comments SET deleted_at = now() WHERE content = 'two.'`, 1, "sent 4"}, // its delivery is the mail with the others
		"all but the last":          {`UPDATE report_comments SET deleted_at = now() WHERE content IN ('two.', 'three.')`, 1, "sent 3, skipped 1"},
		"one that another takes":    {`UPDATE report_comments SET deleted_at = now() WHERE content = 'three.'`, 1, "sent 3, skipped 1"},
		"all":                       {`UPDATE report_comments SET deleted_at = now()`, 0, "sent 1, skipped 3"},
		"by erasure":                {`UPDATE report_comments SET content = '' WHERE content <> 'four.'`, 1, "sent 3, skipped 1"},
		"with the report":           {`UPDATE reports SET deleted_at = now()`, 0, "sent 1, skipped 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			report := b.commentedReport("LS-1")
			var messages []string
			for _, words := range []string{"one.", "two.", "three.", "four."} {
				messages = append(messages, b.comment(report, words))
				b.deliver(messages[len(messages)-1], 1)
			}
			b.exec(c.remove)
			kept := b.text(`SELECT coalesce(string_agg(c.content, ' ' ORDER BY c.id), '') FROM report_comments c JOIN reports r ON r.id = c.report_id
				WHERE c.deleted_at IS NULL AND r.deleted_at IS NULL AND c.content NOT IN ('', 'one.')`)
			b.anHourLater()
			for _, m := range messages[1:] {
				b.deliver(m, 2)
			}
			mails := b.mails.Mails(address)
			if len(mails) != 1+c.mails || b.states() != c.states {
				t.Fatalf("%d mails, states %s", len(mails), b.states())
			}
			for _, words := range []string{"two.", "three.", "four."} {
				if got, want := strings.Contains(mails[0].Text, words), strings.Contains(kept, words); got != want {
					t.Errorf("%q in the mail: %v, want %v: %s", words, got, want, mails[0].Text)
				}
			}
		})
	}
}

// A comment that is removed before its message is read reaches nobody.
func TestACommentRemovedAtOnceIsNotPushed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	message := b.comment(b.commentedReport("LS-1"), "one.")
	b.exec(`UPDATE report_comments SET deleted_at = now()`)
	if b.deliver(message, 1) || b.arrived() != "0 mails 0 pushes" {
		t.Errorf("%s arrived", b.arrived())
	}
}

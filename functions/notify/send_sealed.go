package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// consumer is this worker's name in processed_messages.
const consumer = "notify-mail"

// maxMailAge is the greatest age of a mail with a code or link that does not say when it ends: one of a version before
// December 2026.
const maxMailAge = 15 * time.Minute

// codeAgain is how long a mail with a code or link waits after each failure but the first, after which it is tried at once.
const codeAgain = time.Minute

// sendSealed sends a mail that belongs to no notification. It returns an error, and the
// mail is sent again, until the mail server has accepted or refused it. Somebody waits for a code or link, and it ends soon: it is
// tried again at once and then every minute until it ends. receives is how often the message was delivered.
func (w *Worker) sendSealed(ctx context.Context, text []byte, sent time.Time, receives int) error {
	m, err := mail.Open(w.sealer, text)
	if err != nil {
		return queue.Permanent(err)
	}
	err = w.sendOpened(ctx, m, text, sent)
	switch {
	case err == nil || !w.endsSoon(m):
		return err
	case receives == 1:
		return queue.RetryAfter(err, 0)
	}
	return queue.RetryAfter(err, codeAgain)
}

// sendOpened sends the mail m, whose sealed form is text.
func (w *Worker) sendOpened(ctx context.Context, m mail.Message, text []byte, sent time.Time) error {
	sum := sha256.Sum256(text)
	key := hex.EncodeToString(sum[:])
	var done bool
	const seen = `SELECT EXISTS (SELECT FROM processed_messages WHERE consumer = $1 AND message_key = $2)`
	if err := w.db.QueryRow(ctx, seen, consumer, key).Scan(&done); err != nil {
		return fmt.Errorf("look for mail: %w", err)
	}
	if done {
		return nil
	}
	if w.expired(m, sent) {
		w.metrics.Add(catalog.MailStale)
		w.log.WarnContext(ctx, "mail is too old; dropped", "template", string(m.Template))
		return nil
	}
	if ended, err := w.stopped(ctx, m.Stop); err != nil || ended {
		return err
	}
	cards, err := w.readCards(ctx, reportsOf(m), m.Template == mail.Digest)
	if err != nil {
		return err
	}
	if len(m.Sections) > 0 && len(cards) == 0 { // each report was taken down since
		return nil
	}
	rendered, err := w.renderSealed(m, key, cards)
	if err != nil {
		return queue.Permanent(err)
	}
	return w.sendOnce(ctx, rendered, key, string(m.Template))
}

// sendOnce sends a mail and records, by its key, that it was accepted or refused. A mailbox that does not exist is the reader's
// mistake; every other refusal is counted for an alarm, because other mails are probably refused as well.
func (w *Worker) sendOnce(ctx context.Context, m Mail, key, template string) error {
	if err := w.mailer.Send(ctx, m, ignoreHandOver); err != nil {
		switch kindOf(err) {
		case Delayed, Unknown:
			return err
		case Refused:
			w.metrics.Add(catalog.MailRefused)
		}
		w.log.WarnContext(ctx, "mail refused", "template", template, "error", err)
	}
	return w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		_, err := tx.Once(ctx, consumer, key)
		return err
	})
}

// reportsOf are the reports that a mail lists.
func reportsOf(m mail.Message) []uuid.UUID {
	var out []uuid.UUID
	for _, s := range m.Sections {
		out = append(out, s.Reports[:min(len(s.Reports), mail.MaxListed)]...)
	}
	return out
}

// stopped reports whether the reader has ended these mails since this one was made, or does not exist any more.
func (w *Worker) stopped(ctx context.Context, s mail.Stop) (bool, error) {
	var q string
	switch s.Kind {
	case "":
		return false, nil
	case mail.StopContact:
		q = `SELECT NOT EXISTS (SELECT FROM report_contacts WHERE report_id = $1 AND muted_at IS NULL AND $2 = 'contact')`
	default:
		q = `SELECT NOT EXISTS (SELECT FROM users WHERE id = $1 AND deleted_at IS NULL AND suspended_at IS NULL
			AND NOT coalesce(notification_prefs -> 'muted' ? $2, false) AND coalesce(notification_prefs -> 'email', 'true') <> 'false')`
	}
	var out bool
	if err := w.db.QueryRow(ctx, q, s.ID, string(s.Kind)).Scan(&out); err != nil {
		return false, fmt.Errorf("look whether mails were ended: %w", err)
	}
	return out, nil
}

// ignoreHandOver is the handOver of a message that may be sent twice. A mail has the
// same code or link each time.
func ignoreHandOver(context.Context) error { return nil }

// expired reports whether the code or link of a mail has ended: the reader has asked for a new one. The mail says when that
// is, because the age on the queue begins anew when a dead letter is sent back.
func (w *Worker) expired(m mail.Message, sent time.Time) bool {
	if !m.Expires.IsZero() {
		return !w.clock.Now().Before(m.Expires)
	}
	return expires(m.Template) && !sent.IsZero() && w.clock.Now().Sub(sent) > maxMailAge
}

// endsSoon reports whether the code or link of a mail ends within maxMailAge. An invitation is good for days.
func (w *Worker) endsSoon(m mail.Message) bool {
	if m.Expires.IsZero() {
		return expires(m.Template)
	}
	return m.Expires.Sub(w.clock.Now()) <= maxMailAge
}

// expires reports whether the mail holds a code or link with a time limit.
func expires(t mail.Template) bool {
	switch t {
	case mail.RegistrationCode, mail.PasswordResetCode, mail.VerifyLink, mail.ResetLink:
		return true
	}
	return false
}

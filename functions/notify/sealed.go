package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// consumer names this worker in the processed marks.
const consumer = "notify-mail"

// stale is the age from which a mail with a code or link is not worth sending:
// what it carries has expired, and the reader has asked for another.
const stale = 15 * time.Minute

// sealed sends a mail with no notification behind it, until it is known to have arrived.
func (w *Worker) sealed(ctx context.Context, text []byte, sent time.Time) error {
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
	m, err := mail.Open(w.sealer, text)
	if err != nil {
		return queue.Permanent(err)
	}
	if expires(m.Template) && !sent.IsZero() && w.clock.Now().Sub(sent) > stale {
		w.metrics.Add(catalog.MailStale)
		w.log.InfoContext(ctx, "mail is too old to be of use; dropped", "template", string(m.Template))
		return nil
	}
	letter, err := rendered(m, key)
	if err != nil {
		return queue.Permanent(err)
	}
	if err := w.mailer.Send(ctx, letter, noMatter); err != nil {
		if k := kindOf(err); k == Delayed || k == Unknown {
			return err
		}
		w.metrics.Add(catalog.MailRefused)
		w.log.WarnContext(ctx, "mail refused", "template", string(m.Template), "error", err)
	}
	return w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		_, err := tx.Once(ctx, consumer, key)
		return err
	})
}

// noMatter lets a mail out that may come twice: it carries the same code or link each time.
func noMatter(context.Context) error { return nil }

func expires(t mail.Template) bool {
	switch t {
	case mail.RegistrationCode, mail.PasswordResetCode, mail.VerifyLink, mail.ResetLink:
		return true
	}
	return false
}

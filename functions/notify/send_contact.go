package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/queue"
)

// contact is somebody for whom staff filed a report, and who is mailed about it.
type contact struct {
	Email, Language, Number string
	ledger.Logged           // the first entry of the report
}

// sendContact mails the person for whom staff filed a report. Nobody is mailed who ended these mails, or who is the reporter by
// now: then there is a notification. The same event is mailed once, unless the mail server did not answer.
func (w *Worker) sendContact(ctx context.Context, m queue.ContactMail) error {
	sum := sha256.Sum256([]byte("contact\n" + m.ReportID.String() + "\n" + m.EventKey))
	key := hex.EncodeToString(sum[:])
	const q = `
		SELECT c.email::text, c.preferred_language, r.report_number, e.log_index, e.payload, s.receipts_vkey
		  FROM report_contacts c JOIN reports r ON r.id = c.report_id JOIN ledger_events e ON e.report_id = r.id AND e.seq = 1, log_counter s
		 WHERE c.report_id = $1 AND c.email IS NOT NULL AND c.muted_at IS NULL AND c.claimed_at IS NULL
		   AND NOT EXISTS (SELECT FROM processed_messages WHERE consumer = $2 AND message_key = $3)`
	var to contact
	err := w.db.QueryRow(ctx, q, m.ReportID, consumer, key).Scan(&to.Email, &to.Language, &to.Number, &to.Index, &to.Payload, &to.Key)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read contact: %w", err)
	}
	rendered, err := w.renderContact(ctx, m, to, key)
	if err != nil {
		return queue.Permanent(err)
	}
	return w.sendOnce(ctx, rendered, key, "contact")
}

// renderContact renders the text of the notification for somebody who has no account. The first mail has the receipt.
func (w *Worker) renderContact(ctx context.Context, m queue.ContactMail, to contact, key string) (Mail, error) {
	l, _ := locale.Parse(to.Language)
	params := map[string]string{notification.ParamReportNumber: to.Number}
	for name, value := range m.Params {
		params[name] = value
	}
	title, body := notification.Text(l, notification.Type(m.Type), params)
	if title == "" {
		return Mail{}, fmt.Errorf("notification %q has no text", m.Type)
	}
	d := document{Language: l, Subject: oneLine(title), Footers: []string{word(l, "mail.footer.contact")}}
	said := paragraphs(body, "", "")
	if notification.Type(m.Type) == notification.ReportReceived {
		said = append(paragraphs(wordWith(l, "mail.contact_received.text", params), "", ""), w.receiptLines(ctx, l, to)...)
	}
	d.Blocks = []block{{l, said}}
	out := Mail{Key: key, To: to.Email, Language: l}
	if w.links.Absolute() {
		d.Links = []link{{word(l, "mail.link.report"), w.links.Report(to.Number)}, {word(l, "mail.link.me"), w.links.Me()}}
		out.Stop = w.links.Unsubscribe(mail.StopToken(w.sealer, mail.Stop{Kind: mail.StopContact, ID: m.ReportID}))
	}
	return finishMail(out, d)
}

// receiptLines are the lines of a receipt with their heading. An empty line belongs to it; none where it cannot be signed.
func (w *Worker) receiptLines(ctx context.Context, l locale.Language, of contact) [][]piece {
	receipt := w.receipts.For(ctx, of.Logged)
	if receipt == nil {
		return nil
	}
	out := [][]piece{{{Text: word(l, "mail.contact_received.receipt")}}}
	for line := range strings.SplitSeq(strings.TrimSpace(receipt.Note), "\n") {
		out = append(out, []piece{{Text: line}})
	}
	return out
}

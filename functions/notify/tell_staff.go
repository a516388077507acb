package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// staffConsumer is the name in processed_messages under which the keys of told events are.
const staffConsumer = "notify-staff"

// maxStaff is the most people who are told of one event.
const maxStaff = 50

// tellStaff adds the notifications of staff about reports, and the mail to the contact address of their agency. Both are sent by
// messages of their own. An event that was told before, and one that is over, is left out: a message may come twice, and with a
// delay. What was told and its messages are stored in one transaction.
func (w *Worker) tellStaff(ctx context.Context, n queue.StaffNotice) error {
	if len(n.Items) == 0 || len(n.Items) > queue.MaxStaffItems {
		return queue.Permanent(fmt.Errorf("notice of %d reports", len(n.Items)))
	}
	kind, ok := staffKinds()[n.Event]
	if !ok {
		return queue.Permanent(errors.New("notice of an unknown event"))
	}
	return w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		items, err := w.freshItems(ctx, tx, n, kind)
		if err != nil || len(items) == 0 {
			return err
		}
		people, err := staffOf(ctx, tx, n, kind, items)
		if err != nil {
			return err
		}
		for _, person := range people {
			if err := kind.tell(tx, n, person, items); err != nil {
				return err
			}
		}
		if kind.template == "" {
			return nil
		}
		return w.mailAgency(ctx, tx, n, kind, items)
	})
}

// staffKind is how staff are told of an event.
type staffKind struct {
	typ notification.Type
	// holds is the condition that the event is not over, of a report r; $2 is the agency, $3 the present time.
	holds string
	// audience selects people u; $1 is the agency.
	audience string
	// single is the variant of the text where the report is the reader's own; others is that for everybody else.
	single, others notification.Variant
	// gather is how many reports at most get a mail and a push each; more are told together. inAppOnly: none gets any.
	gather int
	// template is the mail to the contact address of the agency; "" for none.
	template mail.Template
}

// inAppOnly is the gather of what is neither mailed nor pushed.
const inAppOnly = -1

func staffKinds() map[queue.StaffEvent]staffKind {
	const (
		open     = `r.deleted_at IS NULL AND r.status IN ('pending', 'verified', 'in_progress')`
		held     = open + ` AND r.assigned_agency_id = $2`
		overdue  = held + ` AND r.due_at < $3`
		late     = open + ` AND r.assigned_agency_id IS NOT NULL AND r.due_at < $3` // of any agency
		lost     = `r.deleted_at IS NULL AND (r.status = 'rejected' OR r.assigned_agency_id IS DISTINCT FROM $2)`
		official = `u.role = 'government_official' AND u.agency_id = $1`
		admins   = `u.role = 'admin'`
		// Administrators where there is no moderator.
		moderators = `u.role = (SELECT max(role) FROM users WHERE role IN ('moderator', 'admin') AND deleted_at IS NULL AND suspended_at IS NULL)`
	)
	return map[queue.StaffEvent]staffKind{
		queue.ReportsAssigned: {notification.ReportAssigned, held, official, notification.ToYou, notification.ToYourAgency, 5, mail.AgencyAssigned},
		queue.ReportsDisputed: {notification.ReportDisputed, held, official, notification.ToYou, notification.ToYourAgency, queue.MaxStaffItems, mail.AgencyDisputed},
		queue.ReportsLost:     {notification.ReportAssigned, lost, official, notification.Lost, notification.Lost, inAppOnly, ""},
		queue.ReportsOverdue:  {notification.ReportOverdue, overdue, official, notification.ToYou, notification.ToYourAgency, 1, mail.AgencyOverdue},
		queue.ReportsLate:     {notification.ReportOverdue, late, admins, notification.Late, notification.Late, 1, ""},
		queue.ReportHandedBack: {notification.ReportAssigned, open + ` AND r.assigned_agency_id IS NULL`, moderators,
			notification.FindAgency, notification.FindAgency, 5, ""},
	}
}

// staffItem is a report of a notice, with what is told of it.
type staffItem struct {
	queue.StaffItem
	number, note string
	everybody    bool        // all officials of the agency are told, besides the person
	from         agencyNames // of the notice
	suggested    agencyNames
}

// agencyNames are the names of an agency; empty for none.
type agencyNames struct{ name, tetum, portuguese string }

// freshItems marks the events that were not told before and returns those that are not over.
func (w *Worker) freshItems(ctx context.Context, tx *outbox.Tx, n queue.StaffNotice, kind staffKind) ([]staffItem, error) {
	keys := make([]string, len(n.Items))
	for i, item := range n.Items {
		keys[i] = item.Key
	}
	const mark = `INSERT INTO processed_messages (consumer, message_key) SELECT $1, key FROM unnest($2::text[]) key
		ON CONFLICT DO NOTHING RETURNING message_key`
	rows, err := tx.Query(ctx, mark, staffConsumer, keys)
	if err != nil {
		return nil, fmt.Errorf("mark told events: %w", err)
	}
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("mark told events: %w", err)
	}
	q := `SELECT r.report_number, coalesce((SELECT content FROM report_notes WHERE id = $4), ''),
		(SELECT u.id FROM users u WHERE u.id = $6 AND u.agency_id = $2 AND u.role = 'government_official' AND u.deleted_at IS NULL AND u.suspended_at IS NULL),
		a.contact_email IS NULL, coalesce(a.name, ''), coalesce(a.name_tet, ''), coalesce(a.name_pt, ''),
		coalesce(s.name, ''), coalesce(s.name_tet, ''), coalesce(s.name_pt, '')
		FROM reports r LEFT JOIN agencies a ON a.id = $2 LEFT JOIN agencies s ON s.id = $5
		WHERE r.id = $1 AND $3::timestamptz IS NOT NULL AND ` + kind.holds
	var asked []*database.Ask[*staffItem]
	for _, item := range n.Items {
		if !slices.Contains(fresh, item.Key) {
			continue
		}
		scan := func(row pgx.CollectableRow) (staffItem, error) {
			x := staffItem{StaffItem: item}
			var unread bool // the agency has no address
			a, s := &x.from, &x.suggested
			err := row.Scan(&x.number, &x.note, &x.UserID, &unread, &a.name, &a.tetum, &a.portuguese, &s.name, &s.tetum, &s.portuguese)
			x.everybody = x.UserID == nil || unread && n.Event == queue.ReportsOverdue
			return x, err
		}
		asked = append(asked, database.AskOptional(tx, scan, q, item.ReportID, n.AgencyID, w.clock.Now(), item.NoteID, item.SuggestedID, item.UserID))
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("read reports of notice: %w", err)
	}
	var out []staffItem
	for _, a := range asked {
		if item := a.Get(); item != nil {
			out = append(out, *item)
		}
	}
	return out, nil
}

// staffOf returns the people who are told, at most maxStaff: those whom an item names first.
func staffOf(ctx context.Context, tx *outbox.Tx, n queue.StaffNotice, kind staffKind, items []staffItem) ([]uuid.UUID, error) {
	named := []uuid.UUID{}
	for _, item := range items {
		if item.UserID != nil {
			named = append(named, *item.UserID)
		}
	}
	q := `SELECT u.id FROM users u WHERE ` + kind.audience + ` AND u.deleted_at IS NULL AND u.suspended_at IS NULL
		AND u.id IS DISTINCT FROM $2 AND $1::uuid IS NOT NULL ORDER BY u.id = ANY($4) DESC, u.created_at, u.id LIMIT $3`
	rows, err := tx.Query(ctx, q, n.AgencyID, n.Except, maxStaff, named)
	if err != nil {
		return nil, fmt.Errorf("find staff to tell: %w", err)
	}
	people, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find staff to tell: %w", err)
	}
	return people, nil
}

// tell notifies one person. Where there are many reports, each is shown in the app, and one notification about all of them is
// mailed and pushed.
func (k staffKind) tell(tx *outbox.Tx, n queue.StaffNotice, person uuid.UUID, items []staffItem) error {
	var each []notification.New
	var numbers []string
	for _, item := range items {
		if !item.everybody && *item.UserID != person {
			continue
		}
		each = append(each, k.about(item, person))
		numbers = append(numbers, item.number)
	}
	if len(each) <= k.gather || k.gather == inAppOnly {
		return notification.AddEach(tx, each, k.gather == inAppOnly)
	}
	if err := notification.AddEach(tx, each, true); err != nil {
		return err
	}
	all := notification.New{UserID: person, Type: k.typ, EventKey: "staff:" + string(n.Event) + ":all:" + items[0].Key, Params: map[string]string{
		notification.ParamVariant: string(notification.Several), "count": strconv.Itoa(len(numbers)), "numbers": listed(numbers)}}
	if note, same := commonNote(items); same && note != "" {
		all.Params[notification.ParamNote] = note
	}
	return notification.AddEach(tx, []notification.New{all}, false)
}

// listed are the first mail.MaxListed of texts.
func listed(texts []string) string {
	if len(texts) > mail.MaxListed {
		return strings.Join(texts[:mail.MaxListed], ", ") + " …"
	}
	return strings.Join(texts, ", ")
}

// about is the notification of a person about one report.
func (k staffKind) about(item staffItem, person uuid.UUID) notification.New {
	variant := k.others
	if item.UserID != nil && *item.UserID == person {
		variant = k.single
	}
	params := map[string]string{}
	if variant != "" {
		params[notification.ParamVariant] = string(variant)
	}
	if item.note != "" {
		params[notification.ParamNote] = item.note
	}
	if variant == notification.FindAgency {
		maps.Copy(params, notification.AgencyParams(item.from.name, item.from.tetum, item.from.portuguese))
	}
	if s := item.suggested; s.name != "" {
		maps.Copy(params, notification.SuggestedParams(s.name, s.tetum, s.portuguese))
		params[notification.ParamVariant] = string(notification.FindAgencySuggested)
	}
	return notification.New{UserID: person, Type: k.typ, EventKey: "staff:" + item.Key, ReportID: item.ReportID, Params: params}
}

// maxListedNote is the longest note below a report in a list, in characters. The message of the mail stays small.
const maxListedNote = 300

// commonNote is the note that all items have; it may be "". It is false where they differ.
func commonNote(items []staffItem) (string, bool) {
	same := !slices.ContainsFunc(items, func(item staffItem) bool { return item.note != items[0].note })
	return items[0].note, same
}

// shortened is a note as a list shows it.
func shortened(note string) string {
	if text := []rune(note); len(text) > maxListedNote {
		return string(text[:maxListedNote]) + "…"
	}
	return note
}

// mailAgency mails the contact address of the agency, if it has one. An agency has no language: the mail is in Tetum, and below
// in Portuguese.
func (w *Worker) mailAgency(ctx context.Context, tx *outbox.Tx, n queue.StaffNotice, kind staffKind, items []staffItem) error {
	var address *string
	var name, tetum, portuguese string
	const q = `SELECT contact_email, name, name_tet, name_pt FROM agencies WHERE id = $1 AND deleted_at IS NULL`
	err := tx.QueryRow(ctx, q, n.AgencyID).Scan(&address, &name, &tetum, &portuguese)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && address == nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read agency to mail: %w", err)
	}
	params := notification.AgencyParams(name, tetum, portuguese)
	section := mail.Section{Total: len(items)}
	for _, item := range items[:min(len(items), mail.MaxListed)] {
		section.Reports, section.Notes = append(section.Reports, item.ReportID), append(section.Notes, shortened(item.note))
	}
	if note, same := commonNote(items); same {
		section.Notes = nil
		if note != "" {
			params[notification.ParamNote] = note
		}
	}
	return mail.Send(ctx, tx, w.sealer, mail.Message{To: *address, Language: locale.Tetum, Also: []locale.Language{locale.Portuguese},
		Template: kind.template, Params: params, Sections: []mail.Section{section}})
}

package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// staffed has an agency with a contact address, and people of every role.
type staffed struct {
	*bundle
	agency                         uuid.UUID
	one, two, elsewhere, mod, boss uuid.UUID
	gone                           uuid.UUID // an official of the agency who is suspended
	n                              int
}

func setupStaff(t *testing.T) *staffed {
	s := &staffed{bundle: setup(t), agency: database.NewID()}
	other := database.NewID()
	s.exec(`INSERT INTO agencies (id, code, name, name_tet, agency_type, contact_email) VALUES ($1, 'OP', 'Public Works', 'Obras Públikas', 'municipal', 'op@obras.tl'), ($2, 'X', 'Other', '', 'municipal', 'x@other.tl')`, s.agency, other)
	person := func(role string, agency *uuid.UUID) uuid.UUID {
		id := database.NewID()
		s.exec(`INSERT INTO users (id, email, email_verified_at, role, agency_id, full_name) VALUES ($1, $2, now(), $3, $4, 'P')`, id, id.String()[24:]+"@staff.tl", role, agency)
		return id
	}
	s.one, s.two, s.elsewhere = person("government_official", &s.agency), person("government_official", &s.agency), person("government_official", &other)
	s.mod, s.boss = person("moderator", nil), person("admin", nil)
	s.gone = person("government_official", &s.agency)
	s.exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, s.gone)
	return s
}

// item adds a report of the agency and returns it as an item of a notice.
func (s *staffed) item() queue.StaffItem {
	s.n++
	id := database.NewID()
	s.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, status, latitude, longitude, assigned_agency_id, due_at)
		VALUES ($1, $2, $3, '', 'pothole', 'verified', -8.55, 125.57, $4, '2020-01-01')`, id, fmt.Sprintf("LS-2026-%06d", s.n), s.person, s.agency)
	return queue.StaffItem{ReportID: id, Key: "assigned:" + id.String() + ":2"}
}

// tell handles the message of a notice, and says how each person was told: shown in the app, and with a message for mail and push.
func (s *staffed) tell(n queue.StaffNotice) string {
	s.t.Helper()
	raw, err := json.Marshal(queue.NotifyMessage{Staff: &n})
	if err != nil {
		s.t.Fatal(err)
	}
	var back queue.NotifyMessage
	if err := json.Unmarshal(raw, &back); err != nil {
		s.t.Fatal(err)
	}
	if err := s.w.tellStaff(s.t.Context(), *back.Staff); err != nil {
		s.t.Fatal(err)
	}
	var told []string
	for name, id := range map[string]uuid.UUID{"one": s.one, "two": s.two, "elsewhere": s.elsewhere, "mod": s.mod, "boss": s.boss, "gone": s.gone} {
		shown := s.text(fmt.Sprintf(`SELECT count(*)::text FROM notifications WHERE user_id = '%s'`, id))
		sent := s.text(fmt.Sprintf(`SELECT count(*)::text FROM outbox o JOIN notifications n ON n.id::text = o.body ->> 'notification_id' WHERE n.user_id = '%s'`, id))
		if shown != "0" {
			told = append(told, name+" "+shown+"/"+sent)
		}
	}
	slices.Sort(told)
	if n := s.text(`SELECT count(*)::text FROM outbox WHERE body ? 'mail'`); n != "0" {
		told = append(told, "address "+n)
	}
	s.exec(`DELETE FROM outbox`)
	s.exec(`DELETE FROM notifications`)
	return strings.Join(told, ", ")
}

func TestWhoIsToldOfWhat(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	assigned := func(items ...queue.StaffItem) queue.StaffNotice {
		return queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: s.agency, Items: items}
	}
	all := s.item()
	if got := s.tell(assigned(all)); got != "one 1/1, two 1/1, address 1" {
		t.Errorf("the agency: %s", got)
	}
	if got := s.tell(assigned(all)); got != "" {
		t.Errorf("the same event again: %s", got)
	}
	named := s.item()
	named.UserID = &s.two
	if got := s.tell(assigned(named)); got != "two 1/1, address 1" {
		t.Errorf("a named person: %s", got)
	}
	acting := assigned(s.item())
	acting.Except = &s.one
	if got := s.tell(acting); got != "two 1/1, address 1" {
		t.Errorf("by an official: %s", got)
	}
	gone := s.item()
	s.exec(`UPDATE reports SET assigned_agency_id = NULL WHERE id = $1`, gone.ReportID)
	if got := s.tell(assigned(gone)); got != "" {
		t.Errorf("it has no agency any more: %s", got)
	}
	fixed := s.item()
	s.exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, fixed.ReportID)
	if got := s.tell(assigned(fixed)); got != "" {
		t.Errorf("it is fixed: %s", got)
	}
	back := s.item()
	s.exec(`UPDATE reports SET assigned_agency_id = NULL WHERE id = $1`, back.ReportID)
	if got := s.tell(queue.StaffNotice{Event: queue.ReportHandedBack, AgencyID: s.agency, Items: []queue.StaffItem{back}}); got != "mod 1/1" {
		t.Errorf("handed back: %s", got)
	}
	s.exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, s.mod)
	back.Key += "again"
	if got := s.tell(queue.StaffNotice{Event: queue.ReportHandedBack, AgencyID: s.agency, Items: []queue.StaffItem{back}}); got != "boss 1/1" {
		t.Errorf("handed back, without a moderator: %s", got)
	}
	over := s.item()
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsOverdue, AgencyID: s.agency, Items: []queue.StaffItem{over}}); got != "one 1/1, two 1/1, address 1" {
		t.Errorf("overdue: %s", got)
	}
	lost := s.item()
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsLost, AgencyID: s.agency, Items: []queue.StaffItem{lost}}); got != "" {
		t.Errorf("lost and given back since: %s", got)
	}
	lost = s.item()
	s.exec(`UPDATE reports SET status = 'rejected' WHERE id = $1`, lost.ReportID)
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsLost, AgencyID: s.agency, Items: []queue.StaffItem{lost}}); got != "one 1/0, two 1/0" {
		t.Errorf("lost: %s", got)
	}
	disputed := s.item()
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsDisputed, AgencyID: s.agency, Items: []queue.StaffItem{disputed}}); got != "one 1/1, two 1/1, address 1" {
		t.Errorf("disputed: %s", got)
	}
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsLate, Items: []queue.StaffItem{s.item()}}); got != "boss 1/1" {
		t.Errorf("late: %s", got)
	}
	moved := s.item()
	s.exec(`UPDATE reports SET due_at = now() + interval '1 day' WHERE id = $1`, moved.ReportID)
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsOverdue, AgencyID: s.agency, Items: []queue.StaffItem{moved}}); got != "" {
		t.Errorf("overdue until its deadline was moved: %s", got)
	}
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsLate, Items: []queue.StaffItem{{ReportID: moved.ReportID, Key: "late:" + moved.Key}}}); got != "" {
		t.Errorf("late until its deadline was moved: %s", got)
	}
}

// What is assigned to somebody who was suspended, or works elsewhere now, is told to all officials of the agency. So is what is
// overdue, where no address of the agency reads it.
func TestReportsOfSomebodyWhoLeftAreTold(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	tell := func(event queue.StaffEvent, who uuid.UUID) string {
		item := s.item()
		item.UserID = &who
		return s.tell(queue.StaffNotice{Event: event, AgencyID: s.agency, Items: []queue.StaffItem{item}})
	}
	for _, event := range []queue.StaffEvent{queue.ReportsAssigned, queue.ReportsDisputed, queue.ReportsOverdue} {
		for _, c := range []struct{ change, want string }{
			{`UPDATE users SET suspended_at = NULL, role = 'government_official' WHERE id = $1`, "two 1/1, address 1"},
			{`UPDATE users SET suspended_at = now() WHERE id = $1`, "one 1/1, address 1"},
			{`UPDATE users SET suspended_at = NULL, role = 'citizen' WHERE id = $1`, "one 1/1, address 1"},
		} {
			s.exec(c.change, s.two)
			if got := tell(event, s.two); got != c.want {
				t.Errorf("%s after %s: %q, want %q", event, c.change, got, c.want)
			}
		}
		if got := tell(event, s.elsewhere); got != "one 1/1, address 1" {
			t.Errorf("%s to somebody who works elsewhere: %s", event, got)
		}
	}
	s.exec(`UPDATE users SET role = 'government_official' WHERE id = $1`, s.two)
	s.exec(`UPDATE agencies SET contact_email = NULL WHERE id = $1`, s.agency)
	if got := tell(queue.ReportsOverdue, s.two); got != "one 1/1, two 1/1" {
		t.Errorf("overdue, without an address: %s", got)
	}
	if got := tell(queue.ReportsAssigned, s.two); got != "two 1/1" {
		t.Errorf("assigned, without an address: %s", got)
	}
}

// Of fifty people those are told who are named, however late they came.
func TestANamedPersonIsAmongThoseWhoAreTold(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	s.exec(`INSERT INTO users (id, email, role, agency_id, full_name, created_at) SELECT gen_random_uuid(), 'o' || n || '@staff.tl', 'government_official', $1, 'P', now() - interval '1 year'
		FROM generate_series(1, $2::int) n`, s.agency, maxStaff)
	item := s.item()
	item.UserID = &s.two
	if got := s.tell(queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: s.agency, Items: []queue.StaffItem{item}}); got != "two 1/1, address 1" {
		t.Errorf("got %s", got)
	}
}

// Twenty reports are one mail to the address and to each official; the app lists each report. Single messages that come later
// for the same events tell nobody again.
func TestManyReportsAreToldTogether(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	n := queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: s.agency}
	for range 25 {
		n.Items = append(n.Items, s.item())
	}
	if got := s.tell(n); got != "one 26/1, two 26/1, address 1" {
		t.Errorf("told %s", got)
	}
	for _, item := range n.Items {
		if got := s.tell(queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: s.agency, Items: []queue.StaffItem{item}}); got != "" {
			t.Errorf("told again: %s", got)
		}
	}
}

// The mail to the address of an agency is in Tetum and Portuguese and has the note of whoever assigned it.
func TestTheAddressOfAnAgencyReadsPlaceDeadlineAndNote(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	item := s.item()
	note := database.NewID()
	s.exec(`INSERT INTO report_notes (id, report_id, content) VALUES ($1, $2, 'Call the chief of the suco first.')`, note, item.ReportID)
	item.NoteID = &note
	s.exec(`UPDATE reports SET municipality = 'Dili', suco = 'Comoro' WHERE id = $1`, item.ReportID)
	if err := s.w.tellStaff(s.t.Context(), queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: s.agency, Items: []queue.StaffItem{item}}); err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	if err := s.db.QueryRow(t.Context(), `SELECT decode(body ->> 'mail', 'base64') FROM outbox WHERE body ? 'mail'`).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if err := s.w.sendSealed(t.Context(), sealed, time.Now(), 1); err != nil {
		t.Fatal(err)
	}
	mails := s.mails.Mails("op@obras.tl")
	if len(mails) != 1 {
		t.Fatalf("%d mails: %+v", len(mails), mails)
	}
	for _, want := range []string{"LS-2026-000001", "Obras Públikas", "Public Works", "Comoro", "Call the chief", base + "/r/LS-2026-000001", base + "/desk"} {
		if !strings.Contains(mails[0].Text, want) {
			t.Errorf("the mail has no %q:\n%s", want, mails[0].Text)
		}
	}
}

// A mail about many reports has the note once where it is the same for all, and else below each.
func TestAMailAboutManyReportsHasTheirNotes(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		notes   [6]string
		address map[string]int // how often the mail has a text; it is in Tetum and Portuguese
		said    bool           // to the officials
	}{
		"the same": {[6]string{"Urgent.", "Urgent.", "Urgent.", "Urgent.", "Urgent.", "Urgent."}, map[string]int{"Urgent.": 2}, true},
		"each":     {[6]string{"Urgent.", "Urgent.", "Call first.", "", "", ""}, map[string]int{"Urgent.": 2, "Call first.": 1}, false},
		"none":     {[6]string{}, map[string]int{"Nota:": 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setupStaff(t)
			n := queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: s.agency}
			for _, note := range x.notes {
				item := s.item()
				if note != "" {
					id := database.NewID()
					s.exec(`INSERT INTO report_notes (id, report_id, content) VALUES ($1, $2, $3)`, id, item.ReportID, note)
					item.NoteID = &id
				}
				n.Items = append(n.Items, item)
			}
			text := s.mailOf("op@obras.tl", n).Text
			for part, times := range x.address {
				if got := strings.Count(text, part); got != times {
					t.Errorf("%q is there %d times, want %d:\n%s", part, got, times, text)
				}
			}
			said := s.text(`SELECT count(*)::text FROM notifications WHERE params ->> 'variant' = 'several' AND params ->> 'note' = 'Urgent.'`)
			if (said == "2") != x.said {
				t.Errorf("%s officials read the note", said)
			}
		})
	}
}

// mailOf tells of an event and returns the first mail to an address.
func (s *staffed) mailOf(address string, n queue.StaffNotice) smtp.Mail {
	s.t.Helper()
	if err := s.w.tellStaff(s.t.Context(), n); err != nil {
		s.t.Fatal(err)
	}
	rows, err := s.db.Query(s.t.Context(), `DELETE FROM outbox WHERE queue = 'notify' RETURNING body::text`)
	if err != nil {
		s.t.Fatal(err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, body := range bodies {
		if s.deliver(body, 1) {
			s.t.Fatal("came back")
		}
	}
	mails := s.mails.Mails(address)
	if len(mails) == 0 {
		s.t.Fatalf("no mail to %s", address)
	}
	return mails[0]
}

// Of a dispute the officials and the address of the agency read the reason, place, deadline and picture. Hidden words are not mailed.
func TestTheMailsAboutADispute(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	s.exec(`UPDATE users SET email = 'one@staff.tl', preferred_language = 'en' WHERE id = $1`, s.one)
	for i, hidden := range []bool{false, true} {
		id, comment := s.report(fmt.Sprintf("LS-2026-00007%d", i)), database.NewID()
		s.exec(`UPDATE reports SET status = 'in_progress', assigned_agency_id = $2 WHERE id = $1`, id, s.agency)
		s.exec(`INSERT INTO report_comments (id, report_id, author_id, content) VALUES ($1, $2, $3, 'The hole is open again.')`, comment, id, s.person)
		s.exec(`INSERT INTO report_disputes (id, report_id, user_id, fixed_at, comment_id, seq) VALUES (gen_random_uuid(), $1, $2, now(), $3, 4)`, id, s.person, comment)
		if hidden {
			s.exec(`ALTER TABLE report_comments DISABLE TRIGGER USER`)
			s.exec(`UPDATE report_comments SET hidden = 'moderator', hidden_reason = 'offensive' WHERE id = $1`, comment)
		}
		n := queue.StaffNotice{Event: queue.ReportsDisputed, AgencyID: s.agency, Items: []queue.StaffItem{{ReportID: id, Key: "disputed:" + id.String()}}}
		for address, want := range map[string][]string{
			"op@obras.tl":  {"Tanbasá seidauk hadi'a: The hole is open again.", "Obras Públikas", "do relato", "/thumbnail", "Prazu: 4 Dezembru 2026", base + "/r/LS-2026-00007", base + "/desk"},
			"one@staff.tl": {"Why it is not fixed: The hole is open again.", "/thumbnail", "Deadline: 4 December 2026", base + "/r/LS-2026-00007", base + "/desk", "work for the agency"},
		} {
			n.Items[0].Key += address
			m := s.mailOf(address, n)
			for _, w := range want {
				shown := strings.Contains(m.HTML, w) || strings.Contains(m.Text, w)
				if words := strings.Contains(w, "open again"); shown == (words && hidden) {
					t.Errorf("%s, hidden %v: %q is %v in\n%s", address, hidden, w, shown, m.Text)
				}
			}
		}
	}
}

// The mail to moderators about a report that was handed back names both agencies in the language of the reader, and shows the report.
func TestTheMailAboutAReportThatWasHandedBack(t *testing.T) {
	t.Parallel()
	s := setupStaff(t)
	id, suggested := s.report("LS-2026-000070"), database.NewID()
	s.exec(`INSERT INTO agencies (id, code, name, name_tet, name_pt, agency_type) VALUES ($1, 'W', 'Water', 'Bee', 'Águas', 'municipal')`, suggested)
	s.exec(`UPDATE users SET email = 'mod@staff.tl' WHERE id = $1`, s.mod)
	for language, want := range map[string][]string{"tet": {"Obras Públikas", "Bee", "Prazu: 4 Dezembru 2026"}, "pt": {"Public Works", "Águas", "Prazo: 4 de dezembro de 2026"}, "en": {"Public Works", "Water", "Deadline: 4 December 2026", "on the team"}} {
		s.exec(`UPDATE users SET preferred_language = $2 WHERE id = $1`, s.mod, language)
		item := queue.StaffItem{ReportID: id, Key: "back:" + language, SuggestedID: &suggested}
		m := s.mailOf("mod@staff.tl", queue.StaffNotice{Event: queue.ReportHandedBack, AgencyID: s.agency, Items: []queue.StaffItem{item}})
		for _, w := range append(want, "Avenida Nicolau Lobato", "LS-2026-000070", base+"/desk") {
			if !strings.Contains(m.Text, w) {
				t.Errorf("%s: no %q in\n%s", language, w, m.Text)
			}
		}
	}
}

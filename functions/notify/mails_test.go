package notify

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	messages "github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// report adds a verified report with a picture, a place and a deadline.
func (b *bundle) report(number string) uuid.UUID {
	b.t.Helper()
	id, upload := database.NewID(), database.NewID()
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, status, street, suco, district, municipality, due_at)
		VALUES ($1, $2, $3, '', 'pothole', -8.55, 125.57, 'verified', 'Avenida Nicolau Lobato', 'Vila Maumeta', 'Vila Maumeta', 'Ataúro', '2026-12-04T14:59:59Z')`, id, number, b.person)
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at) VALUES ($1, $2, gen_random_uuid()::text, 'image/jpeg', 1, 'processed', now() + interval '1 day')`, upload, b.person)
	b.exec(`INSERT INTO report_images (id, report_id, upload_id, kind, verdict) VALUES (gen_random_uuid(), $1, $2, 'evidence', 'relevant')`, id, upload)
	return id
}

// header is a header of a mail; empty where it has none.
func header(m smtp.Mail, name string) string { return mail.Header(m.Headers).Get(name) }

// tell adds a notification about a report and delivers it. It returns the newest mail.
func (b *bundle) tell(n notification.New) smtp.Mail {
	b.t.Helper()
	n.UserID, n.EventKey = b.person, uuid.NewString()
	err := b.kit.Outbox.Do(b.t.Context(), func(tx *outbox.Tx) error { return notification.Add(b.t.Context(), tx, n) })
	if err != nil {
		b.t.Fatal(err)
	}
	if b.deliver(b.text(`SELECT body::text FROM outbox WHERE queue = 'notify' ORDER BY created_at DESC, id DESC LIMIT 1`), 1) {
		b.t.Fatal("came back")
	}
	return b.mails.Mails(address)[0]
}

// A mail says why its reader gets it, and leads to what it speaks of.
func TestFootersAndLinksAreForTheReader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE users SET preferred_language = 'en'`)
	r := b.report("LS-2026-000001")
	other := database.NewID()
	b.exec(`INSERT INTO users (id, email) VALUES ($1, 'other@example.tl')`, other)
	const page, desk, me = "Open the report: " + base + "/r/LS-2026-000001", "Open the desk: " + base + "/desk?report=LS-2026-000001", "My reports: " + base + "/me"
	for _, c := range []struct {
		name, change string
		n            notification.New
		want, not    []string
	}{
		{"reporter", ``, notification.New{Type: notification.ReportFixed, Params: map[string]string{"note": "Filled."}}, []string{"because you reported this", page, "Note: Filled."}, []string{desk}},
		{"reporter whose report is rejected", ``, notification.New{Type: notification.ReportRejected, Params: map[string]string{"reason": "personal_data", "note": "A face."}},
			[]string{"personal data", "A face.", "appeal", me, page}, []string{"the app"}},
		{"somebody who follows", `UPDATE reports SET user_id = $2 WHERE id = $1; INSERT INTO report_follows (report_id, user_id) SELECT $1, id FROM users WHERE email = 'ana@example.tl'`,
			notification.New{Type: notification.ReportFixed}, []string{"because you follow", page}, nil},
		{"official", `DELETE FROM report_follows; UPDATE users SET role = 'government_official' WHERE email = 'ana@example.tl'`,
			notification.New{Type: notification.ReportAssigned, Params: map[string]string{"variant": "you"}},
			[]string{"because you work for the agency", desk, page, "Place: Avenida Nicolau Lobato, Vila Maumeta, Ataúro (-8.55000, 125.57000)", "Deadline: 4 December 2026", base + "/map#16/-8.55000/125.57000"}, nil},
		{"moderator", `UPDATE users SET role = 'moderator' WHERE email = 'ana@example.tl'`, notification.New{Type: notification.ReportDisputed}, []string{"because you are on the team", page}, nil},
		{"subscriber of an alert", ``, notification.New{Type: notification.Alert, Params: map[string]string{"status": "fixed"}}, []string{"because you have an alert", page}, nil},
		{"no report", ``, notification.New{Type: notification.Announcement, ReportID: uuid.Max, Params: map[string]string{"announcement": "image_refused", "reason": "broken"}}, []string{"because you have a LafaekStreet account", me}, []string{"/r/"}},
	} {
		for _, statement := range strings.Split(c.change, ";") {
			if args := []any{r, other}[:strings.Count(statement, "$")]; strings.TrimSpace(statement) != "" {
				b.exec(statement, args...)
			}
		}
		if c.n.ReportID == uuid.Nil {
			c.n.ReportID = r
		} else {
			c.n.ReportID = uuid.Nil
		}
		m := b.tell(c.n)
		for _, want := range c.want {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, m.Text)
			}
			if at := strings.LastIndex(want, "http"); at >= 0 && !strings.Contains(m.HTML, `href="`+want[at:]+`"`) {
				t.Errorf("%s: no link %s in the HTML", c.name, want[at:])
			}
		}
		for _, not := range c.not {
			if strings.Contains(m.Text, not) {
				t.Errorf("%s: %q in\n%s", c.name, not, m.Text)
			}
		}
	}
}

// Every mail that is no code can be ended with one click (RFC 8058), and says so in its text.
func TestMailsCanBeEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.tell(notification.New{Type: notification.ReportFixed, ReportID: b.report("LS-2026-000001")})
	list := strings.Trim(header(m, "List-Unsubscribe"), "<>")
	token, found := strings.CutPrefix(list, base+"/unsubscribe/")
	stop, err := messages.ParseStopToken(b.w.sealer, token)
	if !found || err != nil || stop != (messages.Stop{Kind: "report_fixed", ID: b.person}) || header(m, "List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("headers %v: %v, %v", m.Headers, stop, err)
	}
	if !strings.Contains(m.Text, list) || !strings.Contains(m.HTML, list) {
		t.Errorf("the mail does not say how to end it: %s", m.Text)
	}
	for _, template := range messages.Templates() {
		msg := messages.Message{To: "code@example.tl", Language: locale.English, Template: template}
		if template.ListsReports() {
			continue
		}
		b.deliver(b.seal(msg), 1)
	}
	for _, m := range b.mails.Mails("code@example.tl") {
		if header(m, "List-Unsubscribe") != "" || strings.Contains(m.Text, "/unsubscribe/") {
			t.Errorf("%s can be ended: %v", m.Subject, m.Headers)
		}
	}
}

// A mail that is made before the reader ends this kind, and sent after that, is not sent.
func TestAnEndedMailIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.report("LS-2026-000001")
	b.exec(`INSERT INTO report_contacts (report_id, email) VALUES ($1, 'contact@example.tl')`, r)
	send := func(s messages.Stop) int {
		to := uuid.NewString() + "@example.tl"
		b.deliver(b.seal(messages.Message{To: to, Language: locale.English, Template: messages.Digest, Stop: s,
			Sections: []messages.Section{{Title: "new", Total: 1, Reports: []uuid.UUID{r}}}}), 1)
		return len(b.mails.Mails(to))
	}
	digest, contact := messages.Stop{Kind: "digest", ID: b.person}, messages.Stop{Kind: messages.StopContact, ID: r}
	for _, c := range []struct {
		name, change    string
		digest, contact int
	}{
		{"wanted", `SELECT 1`, 1, 1},
		{"another kind is muted", `UPDATE users SET notification_prefs = '{"muted": ["alerts"]}'`, 1, 1},
		{"muted", `UPDATE users SET notification_prefs = '{"muted": ["digest"]}'`, 0, 1},
		{"no mail wanted", `UPDATE users SET notification_prefs = '{"email": false}'`, 0, 1},
		{"suspended", `UPDATE users SET notification_prefs = '{}', suspended_at = now()`, 0, 1},
		{"contact muted", `UPDATE report_contacts SET muted_at = now()`, 0, 0},
	} {
		b.exec(c.change)
		if d, k := send(digest), send(contact); d != c.digest || k != c.contact {
			t.Errorf("%s: %d digests, %d mails to the contact", c.name, d, k)
		}
	}
}

// A mail to an agency says in two languages what it has to do, with picture, place and deadline. Reports that were taken down
// since are not in it; without any report it is not sent.
func TestMailsToAgencies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.report("LS-2026-000001"), b.report("LS-2026-000002")
	send := func(reports ...uuid.UUID) []smtp.Mail {
		to := uuid.NewString() + "@example.tl"
		params := notification.AgencyParams("Public Works", "Obras Públikas", "")
		params["note"] = "Behind the school."
		b.deliver(b.seal(messages.Message{To: to, Language: locale.Tetum, Also: []locale.Language{locale.Portuguese}, Template: messages.AgencyAssigned,
			Params: params, Sections: []messages.Section{{Total: len(reports), Reports: reports}}}), 1)
		return b.mails.Mails(to)
	}
	one := send(first)[0]
	for _, want := range []string{"Relatóriu LS-2026-000001 agora iha Obras Públikas nia liman.", "O relato LS-2026-000001 está agora com Public Works.", "Nota: Behind the school.",
		"Prazu: 4 Dezembru 2026", "Fatin: Avenida Nicolau Lobato, Vila Maumeta, Ataúro", base + "/desk", "administradór", "administrador do"} {
		if !strings.Contains(strings.ToLower(one.Text), strings.ToLower(want)) {
			t.Errorf("no %q in\n%s", want, one.Text)
		}
	}
	image := b.text(`SELECT id::text FROM report_images WHERE report_id = '` + first.String() + `'`)
	if want := `<img src="` + base + `/api/v1/public/reports/LS-2026-000001/images/` + image + `/thumbnail" alt="Foto husi relatóriu LS-2026-000001"`; !strings.Contains(one.HTML, want) {
		t.Errorf("no picture in\n%s", one.HTML)
	}
	if header(one, "List-Unsubscribe") != "" {
		t.Error("an agency can be silenced with one click")
	}
	if many := send(first, second)[0]; many.Subject != "Relatóriu 2 entrega tiha ba Obras Públikas" || !strings.Contains(many.Text, "LS-2026-000002") {
		t.Errorf("two reports: %s\n%s", many.Subject, many.Text)
	}
	b.exec(`UPDATE report_images SET hidden = 'moderator'`)
	if m := send(first)[0]; strings.Contains(m.HTML, "<img") {
		t.Error("a hidden picture is mailed")
	}
	for _, down := range []string{"status = 'rejected'", "status = 'verified', deleted_at = now()"} {
		b.exec(`UPDATE reports SET `+down+` WHERE id = $1`, first)
		if m := send(first, second)[0]; strings.Contains(m.Text, "LS-2026-000001") {
			t.Errorf("%s: the report is mailed: %s", down, m.Text)
		}
		if got := send(first); len(got) != 0 {
			t.Errorf("%s: a mail about no report: %s", down, got[0].Text)
		}
	}
}

// Words of people cannot add a header, a link or markup, and have no end in sight.
func TestHostileWordsInMails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.report("LS-2026-000001")
	hostile := "x\r\nBcc: all@example.tl\r\n\r\n<script>alert(1)</script> https://evil.example \u202etxt " + strings.Repeat("y", 3000)
	b.exec(`UPDATE reports SET street = $1`, hostile)
	b.exec(`UPDATE users SET role = 'government_official'`)
	m := b.tell(notification.New{Type: notification.ReportAssigned, ReportID: r, Params: map[string]string{"variant": "agency", "note": hostile, "agency": hostile}})
	if len(m.To) != 1 || m.Headers["Bcc"] != nil || strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, `href="https://evil`) || strings.ContainsAny(m.Subject, "\r\n") {
		t.Errorf("%v\n%s", m.Headers, m.HTML)
	}
}

// The answers of readers go where the operator says.
func TestReplyTo(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"": "", "LafaekStreet <ask@example.tl>": "ask@example.tl"} {
		s, err := NewSMTP(MailConfig{URL: "smtp://127.0.0.1:1", From: "a@example.tl", ReplyTo: given, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		msg, err := s.message(Mail{To: "b@example.tl", Key: "k", Language: locale.English, Text: "t"})
		if err != nil {
			t.Fatal(err)
		}
		var raw strings.Builder
		if _, err := msg.WriteTo(&raw); err != nil {
			t.Fatal(err)
		}
		parsed, err := mail.ReadMessage(strings.NewReader(raw.String()))
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Header.Get("Reply-To"); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("Reply-To %q, want %q", got, want)
		}
	}
	if _, err := NewSMTP(MailConfig{URL: "smtp://127.0.0.1:1", From: "a@example.tl", ReplyTo: "nobody"}); err == nil {
		t.Error("a malformed MAIL_REPLY_TO is accepted")
	}
}

// Without PUBLIC_BASE_URL a mail has no links: a relative one leads nowhere.
func TestMailsWithoutABaseHaveNoLinks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.w.links = weblink.Base{}
	m := b.tell(notification.New{Type: notification.ReportFixed, ReportID: b.report("LS-2026-000001")})
	if strings.Contains(m.HTML, "href") || strings.Contains(m.Text, "/r/") || header(m, "List-Unsubscribe") != "" {
		t.Errorf("%v\n%s", m.Headers, m.HTML)
	}
	if p := b.pushes.Pushes("token-1")[0]; p.Data["link"] != "/r/LS-2026-000001" {
		t.Errorf("push %v", p.Data)
	}
}

// What an administrator announces to everybody is pushed, in the reader's language, and not mailed.
func TestAnnouncementsAreNotMailed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := database.NewID()
	b.exec(`INSERT INTO announcements (id, title, body) VALUES ($1, '{"tet": "Avizu", "en": "Notice"}', '{"tet": "Udan boot.", "en": "Rain."}')`, id)
	err := b.kit.Outbox.Do(t.Context(), func(tx *outbox.Tx) error {
		return notification.Add(t.Context(), tx, notification.New{UserID: b.person, Type: notification.Announcement, EventKey: "announcement:" + id.String()})
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.deliver(b.text(`SELECT body::text FROM outbox WHERE queue = 'notify'`), 1) || b.arrived() != "0 mails 1 pushes" {
		t.Fatalf("%s", b.arrived())
	}
	if p := b.pushes.Pushes("token-1")[0]; p.Title != "Avizu" || p.Body != "Udan boot." {
		t.Errorf("push %+v", p)
	}
}

// A report that lost its verdict since the alert is hidden: the mail does not say where it is. Hidden words are not mailed.
func TestAMailAboutAlertsShowsNoHiddenReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shown, hidden := b.report("LS-2026-000001"), b.report("LS-2026-000002")
	b.exec(`UPDATE reports SET words_hidden = 'moderator', street = 'Rua 8', suco = 'Rua 9', municipality = 'Rua 10', municipality_code = 'TL-AT' WHERE id = $1`, shown)
	b.exec(`UPDATE reports SET status = 'pending', street = 'Rua 7' WHERE id = $1`, hidden)
	b.deliver(b.seal(messages.Message{To: "x@example.tl", Language: locale.English, Template: messages.Alerts, Sections: []messages.Section{{Title: "alert_new", Total: 2, Reports: []uuid.UUID{shown, hidden}}}}), 1)
	m := b.mails.Mails("x@example.tl")[0]
	if !strings.Contains(m.Text, "LS-2026-000001") || strings.Contains(m.Text, "LS-2026-000002") || strings.Contains(m.Text, "Rua ") || !strings.Contains(m.Text, "Ataúro") {
		t.Errorf("%s", m.Text)
	}
}

// A rejected report waits for a moderator when its reporter appealed: the digest lists it.
func TestTheDigestListsAppeals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.report("LS-2026-000001")
	b.exec(`UPDATE reports SET status = 'rejected' WHERE id = $1`, r)
	b.deliver(b.seal(messages.Message{To: "x@example.tl", Language: locale.English, Template: messages.Digest, Sections: []messages.Section{{Title: "needs_review", Total: 1, Reports: []uuid.UUID{r}}}}), 1)
	if m := b.mails.Mails("x@example.tl"); len(m) != 1 || !strings.Contains(m[0].Text, "LS-2026-000001") || strings.Contains(m[0].Text, "And 1 more") {
		t.Errorf("%v", m)
	}
}

package notify

import (
	_ "embed" // the HTML
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
)

// Mail is one mail as it is sent.
type Mail struct {
	// Key is the Message-ID's local part. It is the same when the mail is sent again, so that a mailbox can recognise it.
	Key           string
	To            string
	Language      locale.Language
	Subject, Text string
	HTML          string
	// Stop is the address that ends mails of this kind (RFC 8058); empty for mails that nobody can end.
	Stop string
}

// document is what a mail says. Its text and its HTML are made of it.
type document struct {
	Language locale.Language
	Subject  string
	Blocks   []block // one for each language
	Sections []section
	Links    []link // the first is shown as a button
	Footers  []string
	Stop     link // without an address: nobody can end these mails
}

// block is the text of a mail in one language.
type block struct {
	Language   locale.Language
	Paragraphs [][]piece
}

// piece is a run of text within a paragraph.
type piece struct {
	Text   string
	Link   string // an https or http address, or empty
	Strong bool
}

// section is a list of reports with its heading.
type section struct {
	Title   string // may be empty
	Reports []entry
	More    string // says how many reports are not listed; may be empty
}

// entry is a report in a mail.
type entry struct {
	Title   string
	Lines   []string
	Links   []link
	Picture string // its address; may be empty
	Alt     string
}

type link struct{ Text, URL string }

// renderSealed renders a sealed mail in its reader's language. cards are the reports of its sections.
func (w *Worker) renderSealed(m mail.Message, key string, cards map[uuid.UUID]card) (Mail, error) {
	out := Mail{Key: key, To: m.To, Language: m.Language}
	d := document{Language: m.Language}
	for _, l := range append([]locale.Language{m.Language}, m.Also...) {
		subject, text, ok := sealedTexts(m, l, cards)
		if !ok {
			return Mail{}, fmt.Errorf("mail %q has no text", m.Template)
		}
		if l == m.Language {
			d.Subject = subject
		}
		d.Blocks = append(d.Blocks, block{l, paragraphs(text, m.Params["code"], m.Params["link"])})
		d.Footers = append(d.Footers, word(l, "mail.footer."+footerOf(m)))
	}
	for _, s := range m.Sections {
		d.Sections = append(d.Sections, w.section(m, s, cards))
	}
	d.Links = w.sealedLinks(m, cards)
	if m.Stop != (mail.Stop{}) && w.links.Absolute() {
		out.Stop = w.links.Unsubscribe(mail.StopToken(w.sealer, m.Stop))
	}
	return finishMail(out, d)
}

// sealedTexts returns the subject and the text of a sealed mail in a language.
func sealedTexts(m mail.Message, l locale.Language, cards map[uuid.UUID]card) (string, string, bool) {
	params := make(map[string]string, len(m.Params)+2)
	for name, value := range m.Params {
		params[name] = oneLine(value)
	}
	if params["name"] == "" { // of a version before December 2026
		params["name"] = "—"
	}
	notification.NameAgency(l, params)
	count := 0
	for _, s := range m.Sections {
		count += s.Total
	}
	base := "mail." + string(m.Template)
	if count > 0 {
		params["count"], params[notification.ParamReportNumber] = strconv.Itoa(count), firstNumber(m, cards)
		if _, ok := locale.Text(l, base+".many.text", nil); ok && count > 1 {
			base += ".many"
		}
	}
	subject, ok := locale.Text(l, base+".subject", params)
	text, ok2 := locale.Text(l, base+".text", params)
	if note := params[notification.ParamNote]; note != "" {
		said, _ := locale.Text(l, "notification.note", params)
		text += "\n" + said
	}
	return subject, text, ok && ok2
}

// firstNumber is the number of the first report of a mail.
func firstNumber(m mail.Message, cards map[uuid.UUID]card) string {
	for _, s := range m.Sections {
		for _, id := range s.Reports {
			if c, ok := cards[id]; ok {
				return c.Number
			}
		}
	}
	return "—"
}

// footerOf is the key of the footer that says why the reader of a sealed mail gets it.
func footerOf(m mail.Message) string {
	switch m.Template {
	case mail.AgencyAssigned, mail.AgencyOverdue, mail.AgencyDisputed:
		return "agency"
	case mail.Digest, mail.Alerts, mail.Invitation:
		return string(m.Template)
	}
	if m.Stop.Kind == mail.StopContact {
		return "contact"
	}
	return "account"
}

// section renders a list of reports. Pictures are for whoever got the reports to work on.
func (w *Worker) section(m mail.Message, s mail.Section, cards map[uuid.UUID]card) section {
	var out section
	if s.Title != "" {
		out.Title = wordWith(m.Language, "mail.section."+s.Title, map[string]string{"count": strconv.Itoa(s.Total)})
	}
	for i, id := range s.Reports[:min(len(s.Reports), mail.MaxListed)] {
		c, ok := cards[id]
		if m.Template == mail.Alerts && ok {
			c, ok = c.forOthers()
		}
		if ok {
			shown := w.entry(c, m.Language, m.Template == mail.AgencyAssigned || m.Template == mail.AgencyDisputed)
			if i < len(s.Notes) && s.Notes[i] != "" {
				shown.Lines = append(shown.Lines, wordWith(m.Language, "notification.note", map[string]string{notification.ParamNote: oneLine(s.Notes[i])}))
			}
			out.Reports = append(out.Reports, shown)
		}
	}
	if rest := s.Total - len(out.Reports); rest > 0 && s.Title != "" || rest > 0 && len(out.Reports) > 0 {
		out.More = wordWith(m.Language, "mail.section.more", map[string]string{"count": strconv.Itoa(rest)})
	}
	return out
}

// sealedLinks are the links below a sealed mail; none while nobody knows where this backend is.
func (w *Worker) sealedLinks(m mail.Message, cards map[uuid.UUID]card) []link {
	if !w.links.Absolute() {
		return nil
	}
	number := firstNumber(m, cards)
	desk := link{word(m.Language, "mail.link.desk"), w.links.Desk()}
	if len(cards) == 1 {
		desk.URL = w.links.DeskReport(number)
	}
	switch m.Template {
	case mail.AgencyAssigned, mail.AgencyOverdue, mail.AgencyDisputed, mail.Digest:
		return []link{desk}
	case mail.Alerts:
		return []link{{word(m.Language, "mail.link.me"), w.links.Me()}}
	}
	if len(cards) == 1 {
		return []link{{word(m.Language, "mail.link.report"), w.links.Report(number)}}
	}
	return nil
}

// renderNotification renders a notification as a mail. work has the report where the reader has to work on it; else it is nil.
func (w *Worker) renderNotification(n notice, title, body string, work *card) Mail {
	d := document{Language: n.language, Subject: oneLine(title), Blocks: []block{{n.language, paragraphs(body, "", "")}},
		Footers: []string{word(n.language, "mail.footer."+string(n.reader()))}}
	if work != nil {
		d.Sections = []section{{Reports: []entry{w.entry(*work, n.language, true)}}}
	}
	out := Mail{Key: n.id.String(), To: *n.email, Language: n.language}
	if w.links.Absolute() {
		d.Links = w.noticeLinks(n, work != nil)
		out.Stop = w.links.Unsubscribe(mail.StopToken(w.sealer, mail.Stop{Kind: mail.StopKind(n.typ), ID: n.userID}))
	}
	m, err := finishMail(out, d)
	if err != nil { // cannot happen with the fixed template; the mail is then sent as text only
		m.HTML = ""
	}
	return m
}

// noticeLinks are the links below the mail of a notification.
func (w *Worker) noticeLinks(n notice, work bool) []link {
	page := link{word(n.language, "mail.link.report"), w.links.Report(n.params[notification.ParamReportNumber])}
	me := link{word(n.language, "mail.link.me"), w.links.Me()}
	switch {
	case n.reportID == nil:
		return []link{me}
	case work:
		return []link{{word(n.language, "mail.link.desk"), w.links.DeskReport(n.params[notification.ParamReportNumber])}}
	case n.typ == notification.ReportRejected && n.author: // there one appeals
		return []link{me, page}
	}
	return []link{page}
}

// word is a text of the catalog.
func word(l locale.Language, key string) string { return wordWith(l, key, nil) }

func wordWith(l locale.Language, key string, params map[string]string) string {
	text, _ := locale.Text(l, key, params)
	return text
}

// paragraphs splits a text into its lines. code and target are the parts of it to set off; both may be empty.
func paragraphs(text, code, target string) [][]piece {
	var out [][]piece
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) != "" {
			out = append(out, highlight(line, code, target))
		}
	}
	return out
}

// finishMail makes text and HTML of a document.
func finishMail(m Mail, d document) (Mail, error) {
	if m.Stop != "" {
		d.Stop = link{word(m.Language, "mail.link.stop"), m.Stop + "?lang=" + string(m.Language)}
	}
	m.Subject, m.Text = d.Subject, d.plain()
	var out strings.Builder
	if err := page.Execute(&out, d); err != nil {
		return m, fmt.Errorf("render mail: %w", err)
	}
	m.HTML = out.String()
	return m, nil
}

// plain is the document as text.
func (d document) plain() string {
	var b strings.Builder
	for i, block := range d.Blocks {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, p := range block.Paragraphs {
			for _, piece := range p {
				b.WriteString(piece.Text)
			}
			b.WriteString("\n")
		}
	}
	for _, s := range d.Sections {
		if s.Title != "" {
			b.WriteString("\n" + s.Title + "\n")
		}
		for _, r := range s.Reports {
			b.WriteString("\n" + r.Title + "\n")
			for _, line := range r.Lines {
				b.WriteString(line + "\n")
			}
			writeLinks(&b, r.Links)
		}
		if s.More != "" {
			b.WriteString("\n" + s.More + "\n")
		}
	}
	if len(d.Links) > 0 {
		b.WriteString("\n")
	}
	writeLinks(&b, d.Links)
	b.WriteString("\n--\n" + strings.Join(d.Footers, "\n") + "\n")
	if d.Stop.URL != "" {
		writeLinks(&b, []link{d.Stop})
	}
	return b.String()
}

func writeLinks(b *strings.Builder, links []link) {
	for _, l := range links {
		b.WriteString(l.Text + ": " + l.URL + "\n")
	}
}

// highlight splits a line so that the code is bold or the link can be opened. No other
// text ever becomes a link.
func highlight(line, code, link string) []piece {
	for _, special := range []piece{{Text: link, Link: link}, {Text: code, Strong: true}} {
		if special.Text == "" || special.Link != "" && !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "http://") {
			continue
		}
		if before, after, found := strings.Cut(line, special.Text); found {
			return []piece{{Text: before}, special, {Text: after}}
		}
	}
	return []piece{{Text: line}}
}

// oneLine replaces line breaks and other control characters, which could end a mail
// header or hide text, by single spaces.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
}

// page is the HTML of every mail. It loads nothing but the pictures of reports, and says the same without them. It can be read
// on an old phone, whose program may know neither <style> nor dark colours.
var page = template.Must(template.New("mail").Parse(pageHTML))

//go:embed mail.html
var pageHTML string

package notify

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
)

// Mail is one mail as it is sent.
type Mail struct {
	// Key is the Message-ID's local part. It is the same when the mail is sent again, so that a mailbox can recognise it.
	Key           string
	To            string
	Language      locale.Language
	Subject, Text string
	HTML          string
}

// page is the HTML of every mail. It loads nothing from the network and can be read
// on an old phone.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Subject}}</title></head>
<body style="margin:0;background:#f4f4f2;font-family:sans-serif;color:#222">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#fff">
<p style="margin:0 0 16px;font-weight:bold;color:#0a6847">LafaekStreet</p>
{{range .Paragraphs}}<p style="margin:0 0 16px;line-height:1.5">{{range .}}{{if .Link}}<a href="{{.Link}}" style="color:#0a6847;word-break:break-all">{{.Text}}</a>{{else if .Strong}}<strong style="font-size:1.3em;letter-spacing:.1em">{{.Text}}</strong>{{else}}{{.Text}}{{end}}{{end}}</p>
{{end}}<p style="margin:24px 0 0;font-size:12px;color:#777">{{.Footer}}</p>
</div></body></html>
`))

// piece is a run of text within a paragraph.
type piece struct {
	Text   string
	Link   string // an https or http address, or empty
	Strong bool
}

// renderSealed renders a sealed mail in its reader's language.
func renderSealed(m mail.Message, key string) (Mail, error) {
	params := make(map[string]string, len(m.Params))
	for name, value := range m.Params {
		params[name] = oneLine(value)
	}
	if params["name"] == "" { // of a version before December 2026
		params["name"] = "—"
	}
	base := "mail." + string(m.Template)
	subject, ok := locale.Text(m.Language, base+".subject", params)
	text, ok2 := locale.Text(m.Language, base+".text", params)
	if !ok || !ok2 {
		return Mail{}, fmt.Errorf("mail %q has no text", m.Template)
	}
	return compose(Mail{Key: key, To: m.To, Language: m.Language, Subject: subject, Text: text}, "mail.footer.account", params["code"], params["link"])
}

// renderNotification renders a notification as a mail.
func renderNotification(n notice, title, body string) Mail {
	m, err := compose(Mail{Key: n.id.String(), To: *n.email, Language: n.language, Subject: oneLine(title), Text: body}, "mail.footer.notification", "", "")
	if err != nil { // cannot happen with the fixed template; the mail is then sent as text only
		m.HTML = ""
	}
	return m
}

// compose adds the footer to the text and makes the HTML. code and link are the parts
// of the text to highlight; both may be empty.
func compose(m Mail, footerKey, code, link string) (Mail, error) {
	footer, _ := locale.Text(m.Language, footerKey, nil)
	var paragraphs [][]piece
	for line := range strings.SplitSeq(m.Text, "\n") {
		if strings.TrimSpace(line) != "" {
			paragraphs = append(paragraphs, highlight(line, code, link))
		}
	}
	var out strings.Builder
	err := page.Execute(&out, struct {
		Language        locale.Language
		Subject, Footer string
		Paragraphs      [][]piece
	}{m.Language, m.Subject, footer, paragraphs})
	if err != nil {
		return m, fmt.Errorf("render mail: %w", err)
	}
	m.HTML = out.String()
	m.Text += "\n\n--\n" + footer + "\n"
	return m, nil
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

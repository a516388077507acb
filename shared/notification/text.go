package notification

import (
	"maps"

	"github.com/lafaekstreet/backend/shared/locale"
)

// Parameters that Text knows by name. Any other is put in as it is where a text
// names it.
const (
	// ParamReportNumber is the number people know the report by.
	ParamReportNumber = "report_number"
	// ParamStatus is a report status; the reader sees its label.
	ParamStatus = "status"
	// ParamReason says why: a word of the catalog (notification.reason.<word>), or a person's own words.
	ParamReason = "reason"
	// ParamAnnouncement picks a text of the catalog for an Announcement (notification.announcement.<word>);
	// without it ParamTitle and ParamBody are shown.
	ParamAnnouncement = "announcement"
	ParamTitle        = "title"
	ParamBody         = "body"
)

// Text is the title and body of a notification in l. Parameters are put in as
// plain text: whoever renders HTML escapes the whole.
func Text(l locale.Language, t Type, params map[string]string) (string, string) {
	key := "notification." + string(t)
	p := maps.Clone(params)
	if p == nil {
		p = map[string]string{}
	}
	label(l, p, ParamStatus, "notification.status.")
	label(l, p, ParamReason, "notification.reason.")
	switch {
	case t == Announcement && p[ParamAnnouncement] != "":
		key += "." + p[ParamAnnouncement]
	case t == Announcement:
		return p[ParamTitle], p[ParamBody]
	case t == ReportRejected && p[ParamReason] == "":
		key += ".plain"
	}
	title, _ := locale.Text(l, key+".title", p)
	body, _ := locale.Text(l, key+".body", p)
	return title, body
}

// label replaces the word params[name] holds by its text, where it has one.
func label(l locale.Language, params map[string]string, name, prefix string) {
	if text, ok := locale.Text(l, prefix+params[name], nil); ok {
		params[name] = text
	}
}

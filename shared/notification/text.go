package notification

import (
	"maps"

	"github.com/lafaekstreet/backend/shared/locale"
)

// Parameters that Text knows by name. A text may name other parameters; their values
// are put in unchanged.
const (
	// ParamReportNumber is the report's public number, LS-2026-000123.
	ParamReportNumber = "report_number"
	// ParamStatus is a report status; the reader sees its label.
	ParamStatus = "status"
	// ParamReason is a word of the catalog (notification.reason.<word>), or a text that a person wrote.
	ParamReason = "reason"
	// ParamAnnouncement selects the text of an Announcement in the catalog (notification.announcement.<word>).
	// Without it ParamTitle and ParamBody are shown.
	ParamAnnouncement = "announcement"
	ParamTitle        = "title"
	ParamBody         = "body"
)

// Text returns the title and body of a notification in l. They are plain text; a
// caller that makes HTML must escape them.
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

// label replaces params[name] by its text in the catalog, if there is one.
func label(l locale.Language, params map[string]string, name, prefix string) {
	if text, ok := locale.Text(l, prefix+params[name], nil); ok {
		params[name] = text
	}
}

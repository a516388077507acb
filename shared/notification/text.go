package notification

import (
	"maps"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
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
	// ParamNote is what the person who acted wrote. It follows the text, or the reason of a rejection or removal.
	ParamNote = "note"
	// ParamAgency is the English name of the agency that has the report. AgencyParams makes it with the names in other languages.
	ParamAgency = "agency"
	// ParamSuggested is the English name of the agency that the one which handed the report back suggests: see SuggestedParams.
	ParamSuggested = "suggested"
	// ParamVariant is a Variant.
	ParamVariant = "variant"
	// ParamAnnouncement selects the text of an Announcement in the catalog (notification.announcement.<word>).
	// Without it ParamTitle and ParamBody are shown.
	ParamAnnouncement = "announcement"
	ParamTitle        = "title"
	ParamBody         = "body"
)

// Variant selects another text of a type in the catalog: notification.<type>.<variant>.
type Variant string

// The variants.
const (
	WordsEdited     Variant = "words"            // of ReportEdited: title, description or issue type
	DetailsEdited   Variant = "details"          // of ReportEdited: severity or address
	PictureAdded    Variant = "picture_added"    // of ReportEdited
	PictureRemoved  Variant = "picture_removed"  // of ReportEdited
	WordsHidden     Variant = "words_hidden"     // of ReportEdited: a moderator hid title and description; the reason is told
	ReportFlagged   Variant = "flagged"          // of ReportEdited: flags hid words and pictures until a moderator has looked
	WordsShown      Variant = "words_shown"      // of ReportEdited: others see title and description again
	FlagsDismissed  Variant = "flags_dismissed"  // of ReportEdited: others see again what flags hid
	PictureHidden   Variant = "picture_hidden"   // of ReportEdited: a moderator hid a picture; the reason is told
	PictureShown    Variant = "picture_shown"    // of ReportEdited: others see a hidden picture again
	PictureRedacted Variant = "picture_redacted" // of ReportEdited: a moderator made parts of a picture black; the reason is told
	CommentHidden   Variant = "comment_hidden"   // of ReportEdited, to the author of the comment: a moderator hid it; the reason is told
	CommentFlagged  Variant = "comment_flagged"  // of ReportEdited, to the author of the comment: flags hid it
	CommentShown    Variant = "comment_shown"    // of ReportEdited, to the author of the comment: others see it again
	// PictureIrrelevant is of ReportEdited: the AI found that a picture shows no problem. It tells the reporter alone.
	PictureIrrelevant Variant = "picture_irrelevant"
	// OriginalGone is of ReportStatusChanged: the report is a duplicate, and its original was withdrawn, removed or
	// rejected. A person looks at it again. The parameter original_number names the original.
	OriginalGone Variant = "original_gone"
	// ToYou and ToYourAgency are of ReportAssigned and ReportOverdue: the reader has to work on the report, as the named person or
	// as an official of the agency. Their mails have the picture, the place and the deadline.
	ToYou        Variant = "you"
	ToYourAgency Variant = "agency"
	// Followed is of ReportVerified, ReportRejected and ReportRemoved: the reader follows the report, and did not make it.
	Followed Variant = "followed"
	// Final is of ReportRejected, to whoever has appealed once: there is no other appeal.
	Final Variant = "final"
	// HandedBack is of ReportAssigned: the agency that had the report gave it back, and another one is looked for.
	HandedBack Variant = "handed_back"
	// Lost is of ReportAssigned, to an official: the agency does not have to work on the report any more.
	Lost Variant = "lost"
	// FindAgency is of ReportAssigned: an agency handed the report back, and the reader, a moderator, looks for another one.
	// FindAgencySuggested names in the parameter suggested the one that it suggests.
	FindAgency          Variant = "find_agency"
	FindAgencySuggested Variant = "find_agency_suggested"
	// Late is of ReportOverdue: for an administrator, when nothing became of a report for as long again as its deadline was.
	Late Variant = "late"
	// Several is of ReportAssigned and ReportOverdue: the parameters count and numbers say how many reports and which.
	Several Variant = "several"
	// CommentRemoved is of CommentAdded: the comment, or its report, was removed since, or the comment is hidden.
	CommentRemoved Variant = "removed"
)

// Variants lists the variants of a type.
func Variants(t Type) []Variant {
	switch t {
	case ReportEdited:
		return []Variant{WordsEdited, DetailsEdited, PictureAdded, PictureRemoved, PictureIrrelevant, WordsHidden, ReportFlagged, WordsShown, FlagsDismissed,
			CommentHidden, CommentFlagged, CommentShown, PictureHidden, PictureShown, PictureRedacted}
	case ReportStatusChanged:
		return []Variant{OriginalGone}
	case ReportAssigned:
		return []Variant{ToYou, ToYourAgency, Lost, HandedBack, FindAgency, FindAgencySuggested, Several}
	case ReportOverdue:
		return []Variant{ToYou, ToYourAgency, Late, Several}
	case ReportRejected:
		return []Variant{Followed, Final}
	case ReportVerified, ReportRemoved:
		return []Variant{Followed}
	case CommentAdded:
		return []Variant{CommentRemoved}
	}
	return nil
}

// CommentRemovedSQL is true for a notification n of a comment that was removed: by its author, by a moderator, with its
// report, or with the account of its author. It is true for a comment that is hidden, too, and for one of a report that is rejected or
// hidden, unless the reader is its reporter or staff. It is a scalar subquery: for EXISTS the planner may read all comments and
// reports into a hash table.
const CommentRemovedSQL = `(n.type = 'comment_added' AND coalesce((
	SELECT nc.deleted_at IS NOT NULL OR nc.hidden IS NOT NULL OR nc.content = '' OR r.deleted_at IS NOT NULL
	    OR (r.status = 'rejected' OR ` + report.HiddenSQL + `) AND r.user_id IS DISTINCT FROM n.user_id
	       AND (SELECT nu.role = 'citizen' FROM users nu WHERE nu.id = n.user_id)
	  FROM report_comments nc JOIN reports r ON r.id = nc.report_id
	 WHERE nc.id = CASE WHEN n.event_key ~ '^comment:[0-9a-f-]{36}$' THEN substr(n.event_key, 9)::uuid END), false))`

// ParamsSQL is the parameters of a notification n that its reader may still see. Those of an announcement are its texts in each
// language, which stand in announcements once for everybody.
const ParamsSQL = `CASE WHEN ` + CommentRemovedSQL + ` THEN n.params - 'author' - 'comment' || '{"variant": "removed"}'
	WHEN n.type = 'announcement' AND n.event_key ~ '^announcement:[0-9a-f-]{36}$' THEN n.params || coalesce((
		SELECT jsonb_strip_nulls(jsonb_build_object('title_tet', an.title ->> 'tet', 'title_pt', an.title ->> 'pt', 'title_en', an.title ->> 'en',
			'body_tet', an.body ->> 'tet', 'body_pt', an.body ->> 'pt', 'body_en', an.body ->> 'en'))
		FROM announcements an WHERE an.id = substr(n.event_key, 14)::uuid), '{}')
	ELSE n.params END`

// Text returns the title and body of a notification in l. They are plain text; a
// caller that makes HTML must escape them.
func Text(l locale.Language, t Type, params map[string]string) (string, string) {
	key := "notification." + string(t)
	p := maps.Clone(params)
	if p == nil {
		p = map[string]string{}
	}
	if author, named := p["author"]; named && author == "" { // signed in with a code from a mail, and gave no name
		p["author"], _ = locale.Text(l, "notification.unnamed", nil)
	}
	if status, ok := locale.Label(l, "status", p[ParamStatus]); ok {
		p[ParamStatus] = status
	}
	NameAgency(l, p)
	why := p[ParamReason]
	if reason, ok := locale.Text(l, "notification.reason."+why, nil); ok {
		p[ParamReason] = reason
	}
	note := p[ParamNote]
	if t == ReportRejected || t == ReportRemoved || t == ReportEdited && why != "" {
		p[ParamReason], note = withNote(p[ParamReason], why, note), ""
	}
	variant := Variant(p[ParamVariant])
	switch {
	case slices.Contains(Variants(t), variant):
		key += "." + string(variant)
	case t == Announcement && p[ParamAnnouncement] != "":
		key += "." + p[ParamAnnouncement]
	case t == Announcement:
		return inLanguage(l, p, ParamTitle), inLanguage(l, p, ParamBody)
	case (t == ReportRejected || t == ReportRemoved) && p[ParamReason] == "":
		key += ".plain"
	}
	title, _ := locale.Text(l, key+".title", p)
	body, _ := locale.Text(l, key+".body", p)
	if who := p[ParamAgency]; who != "" && namesAgency(t) && !strings.Contains(body, who) {
		body += appendix(l, "notification.agency", p)
	}
	if note != "" {
		body += appendix(l, "notification.note", p)
	}
	return title, body
}

// inLanguage returns a text that people wrote in several languages: in l, else in the first language that it has.
func inLanguage(l locale.Language, params map[string]string, name string) string {
	for _, language := range append([]locale.Language{l}, locale.Languages()...) {
		if text := params[name+"_"+string(language)]; text != "" {
			return text
		}
	}
	return params[name]
}

// namesAgency reports whether a notification is about what the agency of the report does.
func namesAgency(t Type) bool {
	switch t {
	case ReportVerified, ReportStatusChanged, ReportFixed, ReportDisputed, ReportAssigned, ReportOverdue:
		return true
	}
	return false
}

// appendix is a sentence of the catalog that follows a text.
func appendix(l locale.Language, key string, params map[string]string) string {
	text, _ := locale.Text(l, key, params)
	return " " + text
}

// NameAgency gives the agencies in params their names in l, if they have one.
func NameAgency(l locale.Language, params map[string]string) {
	for _, agency := range []string{ParamAgency, ParamSuggested} {
		if name := params[agency+"_"+string(l)]; name != "" {
			params[agency] = name
		}
	}
}

// AgencyParams are the parameters for the names of an agency: in English, in Tetum, in Portuguese. An empty name is not shown.
func AgencyParams(name, tetum, portuguese string) map[string]string {
	return map[string]string{ParamAgency: name, ParamAgency + "_tet": tetum, ParamAgency + "_pt": portuguese}
}

// SuggestedParams are AgencyParams of the agency that another one suggests.
func SuggestedParams(name, tetum, portuguese string) map[string]string {
	return map[string]string{ParamSuggested: name, ParamSuggested + "_tet": tetum, ParamSuggested + "_pt": portuguese}
}

// withNote joins the text of a reason, whose word is why, and a note. The reason "other" says nothing besides its note.
func withNote(reason, why, note string) string {
	switch {
	case note == "":
		return reason
	case reason == "" || why == "other":
		return note
	}
	return reason + " " + note
}

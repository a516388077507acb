package openapi

import (
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// plainTexts are members whose name ends as that of a UUID, a time or an address does, and that are something else, with the
// reason. A name after a dot is of one schema alone.
var plainTexts = map[string]string{
	"device_id":                   "chosen by the app",
	"request_id":                  "may be the client's own X-Request-Id",
	"topic_id":                    "an id of Hedera: 0.0.N",
	"account_id":                  "an id of Hedera: 0.0.N",
	"transaction_id":              "an id of Hedera: 0.0.N@seconds.nanoseconds",
	"hedera_transaction_id":       "an id of Hedera: 0.0.N@seconds.nanoseconds",
	"entity_id":                   "of what was changed, for settings the word all",
	"Municipality.id":             "the same as its code",
	"ReportBatchResult.client_id": "as it was sent, also what is no UUID",
	"BulkResult.report_id":        "as it was sent, also a number",
}

// describeFormat gives a text the format that its name promises, where it has none: uuid, date-time, uri, email or password. A text
// whose description says YYYY-MM-DD is a date.
func describeFormat(name string, s *huma.Schema) {
	if s.Type != huma.TypeString || s.Format != "" || len(s.Enum) > 0 || isPlainText(name, s) {
		return
	}
	s.Format = formatOf(member(name))
	if strings.Contains(s.Description, "YYYY-MM-DD") {
		s.Format = "date"
	}
}

// idOrNumber matches the description of an id for which the number of a report may stand.
var idOrNumber = regexp.MustCompile(`(?i)\bid or (report )?number\b`)

// isPlainText reports that a member is in plainTexts, or is the id of a report in a path, which may be its number.
func isPlainText(name string, s *huma.Schema) bool {
	if plainTexts[name] != "" || plainTexts[member(name)] != "" {
		return true
	}
	return idOrNumber.MatchString(s.Description)
}

// member is the last part of a name of eachSchema.
func member(name string) string { return name[strings.LastIndex(name, ".")+1:] }

// formatOf is the format of a text with this name; "" for any text.
func formatOf(member string) string {
	last := member[strings.LastIndex(member, "_")+1:]
	switch last {
	case "id":
		return "uuid"
	case "at":
		return "date-time"
	case "url", "uri":
		return "uri"
	case "email", "password":
		return last
	}
	return ""
}

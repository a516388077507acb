package web

import (
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// t returns the text of a key in the language of the page.
func (v view) t(key string) string {
	text, _ := locale.Text(v.lang, key, nil)
	return text
}

// with returns the text of a key with its parameters.
func (v view) with(key string, params map[string]string) string {
	text, _ := locale.Text(v.lang, key, params)
	return text
}

// count is the text of a key for n: that of key + "_one" for 1.
func (v view) count(key string, n int) string {
	if n == 1 {
		return v.t(key + "_one")
	}
	return v.with(key, map[string]string{"n": locale.Number(v.lang, n)})
}

// label is the label of a word of the API, such as a status.
func (v view) label(kind, word string) string { return v.t("label." + kind + "." + word) }

// labels returns the text of each value of a kind, such as "status".
func labels[T ~string](v view, kind string, values []T) map[string]string {
	out := make(map[string]string, len(values))
	for _, value := range values {
		out[string(value)] = v.t("label." + kind + "." + string(value))
	}
	return out
}

// scriptLabels are the labels of statuses, types, severities and reason codes, by kind and value: "status.pending".
func (v view) scriptLabels() map[string]string {
	out := make(map[string]string)
	add := func(kind string, labels map[string]string) {
		for value, label := range labels {
			out[kind+"."+value] = label
		}
	}
	add("status", labels(v, "status", report.Statuses()))
	add("issue_type", labels(v, "issue_type", report.IssueTypes()))
	add("severity", labels(v, "severity", report.Severities()))
	add("reason", labels(v, "reason", report.ReasonCodes()))
	return out
}

// moment writes day and time in Dili as people write them, as an element that programs can read.
func (v view) moment(t timestamp.Time) fragment {
	dili := t.In(report.Zone())
	return markup(`<time datetime="%s">%s</time>`, text(t.String()), text(locale.Date(v.lang, dili)+", "+dili.Format("15:04")))
}

// day writes the day in Dili.
func (v view) day(t timestamp.Time) fragment {
	return markup(`<time datetime="%s">%s</time>`, text(t.String()), text(locale.Date(v.lang, t.In(report.Zone()))))
}

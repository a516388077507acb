package public

import (
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// Kinds limits a map to some statuses and issue types.
type Kinds struct {
	Status    string `query:"status" doc:"Statuses, separated by commas" example:"verified,in_progress"`
	IssueType string `query:"issue_type" doc:"Issue types, separated by commas" example:"pothole"`
}

// kindFilter is Kinds as query parameters; nil means all.
type kindFilter struct {
	statuses, types []string
}

func (k Kinds) filter() (kindFilter, error) {
	statuses, bad := report.ParseList(k.Status, report.ParseStatus)
	if bad != "" {
		return kindFilter{}, problem.InvalidField("status", "names no status")
	}
	types, bad := report.ParseList(k.IssueType, report.ParseIssueType)
	if bad != "" {
		return kindFilter{}, problem.InvalidField("issue_type", "names no issue type")
	}
	return kindFilter{texts(statuses), texts(types)}, nil
}

func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// ofKinds returns the condition for rows r that match a kindFilter. The arguments are the names of its two parameters.
func ofKinds(statuses, types string) string {
	return `(` + statuses + `::text[] IS NULL OR r.status = ANY(` + statuses + `)) AND (` +
		types + `::text[] IS NULL OR r.issue_type = ANY(` + types + `))`
}

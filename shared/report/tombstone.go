package report

import (
	"errors"
	"time"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Tombstone is what everybody may know of a report that was taken down. It has no words and names nobody.
type Tombstone struct {
	ReportNumber string          `json:"report_number" example:"LS-2026-000123"`
	IssueType    IssueType       `json:"issue_type"`
	Municipality *string         `json:"municipality" example:"Dili"`
	Status       TombstoneStatus `json:"status" enum:"rejected,withdrawn,removed" doc:"withdrawn: by its reporter; removed: by an administrator"`
	ReasonCode   *ReasonCode     `json:"reason_code" doc:"null where its reporter withdrew it"`
	RemovedAt    timestamp.Time  `json:"removed_at"`
	RemovedBy    RemovedBy       `json:"removed_by" enum:"reporter,ai,moderator,admin" doc:"In which capacity, never who"`
}

// TombstoneStatus is how a report was taken down.
type TombstoneStatus string

// The ways. A rejected report can be appealed and restored; what was withdrawn or removed takes no writes.
const (
	TombstoneRejected  TombstoneStatus = "rejected"
	TombstoneWithdrawn TombstoneStatus = "withdrawn"
	TombstoneRemoved   TombstoneStatus = "removed"
)

// ParseTombstoneStatus reads a status, ignoring case and separators. It is false for an unknown word.
func ParseTombstoneStatus(word string) (TombstoneStatus, bool) {
	return parse(word, []TombstoneStatus{TombstoneRejected, TombstoneWithdrawn, TombstoneRemoved})
}

// Final reports whether the report was withdrawn or removed. It is false for nil.
func (t *Tombstone) Final() bool { return t != nil && t.Status != TombstoneRejected }

// ErrRemoved is in every error of Gone.
var ErrRemoved = errors.New("the report was taken down")

// Gone is the 410 "report_removed" with the tombstone.
func (t *Tombstone) Gone() error {
	return errTakenDown.With("tombstone", t).Because(ErrRemoved)
}

// Problems are those of a request about a report: it is not there, or not for the caller, or it was taken down.
func Problems() []*problem.Error {
	at := timestamp.Of(time.Date(2026, time.November, 21, 3, 12, 9, 0, time.UTC))
	t := Tombstone{ReportNumber: "LS-2026-000123", IssueType: Pothole, Municipality: new("Dili"), Status: TombstoneWithdrawn, RemovedAt: at, RemovedBy: "reporter"}
	return []*problem.Error{ErrNotFound, errTakenDown.With("tombstone", &t)}
}

var errTakenDown = problem.New(problem.Gone, "report_removed")

// TombstoneOf returns the tombstone that an error of Gone has; nil for another error.
func TombstoneOf(err error) *Tombstone {
	var p *problem.Error
	if !errors.As(err, &p) {
		return nil
	}
	t, _ := p.Extra["tombstone"].(*Tombstone)
	return t
}

// The texts below are parts of queries, of reports r.
const (
	// TakenDownSQL is true for a report that is rejected, withdrawn or removed.
	TakenDownSQL = `(r.status = 'rejected' OR r.deleted_at IS NOT NULL)`

	// RemovedAtSQL is when a report of TakenDownSQL was taken down. Functions of an earlier version, which run beside this one
	// during a deploy, do not write removed_at.
	RemovedAtSQL = `coalesce(r.deleted_at, r.removed_at, r.updated_at)`

	// RemovedBySQL is who took it down. For what functions of an earlier version took down, the status history says it, or
	// whether there is a reason: whoever withdraws the own report gives none.
	RemovedBySQL = `CASE
		WHEN r.removed_by IS NOT NULL AND (r.deleted_at IS NULL OR r.removed_by IN ('reporter', 'admin')) THEN r.removed_by
		WHEN r.deleted_at IS NOT NULL THEN CASE WHEN r.reason_code IS NULL THEN 'reporter' ELSE 'admin' END
		ELSE coalesce((SELECT CASE WHEN h.actor_kind IN ('ai', 'admin') THEN h.actor_kind ELSE 'moderator' END FROM report_status_history h
			WHERE h.report_id = r.id AND h.new_status = 'rejected' ORDER BY h.created_at DESC, h.id DESC LIMIT 1), 'moderator') END`

	// TombstoneSQL is the Tombstone of a report as JSON, NULL for one that was not taken down. The municipality is that of its
	// code: a reporter may have typed anything for its name.
	TombstoneSQL = `CASE WHEN ` + TakenDownSQL + ` THEN (
		SELECT jsonb_build_object('report_number', r.report_number, 'issue_type', r.issue_type, 'municipality', ` + MunicipalityNameSQL + `,
			'status', CASE WHEN r.deleted_at IS NULL THEN 'rejected' WHEN t.by = 'reporter' THEN 'withdrawn' ELSE 'removed' END,
			'reason_code', CASE WHEN t.by <> 'reporter' THEN coalesce(r.reason_code, CASE WHEN t.by = 'ai' THEN 'irrelevant' ELSE 'other' END) END,
			'removed_at', ` + RemovedAtSQL + `, 'removed_by', t.by)
		FROM (SELECT ` + RemovedBySQL + ` AS by) t) END`
)

package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/report"
)

// fold is what a report's events say, taken together.
type fold struct {
	count  int
	hash   []byte   // of the newest event's payload
	newest *payload // nil if it cannot be read
	first  int      // version of the first event's payload

	createdAt   string // as payloadTime; "" where no event names it
	located     bool   // the place is public to 4 decimals
	withdrawnAt string // as payloadTime; "" while it is not withdrawn
	incident    string // what an INCIDENT says; "" without one

	moves    map[int]moveEvent
	comments map[int]commentEvent
	// salted are the events that have a salt, erased those whose salts went.
	salted, erased map[int]bool
	// erasedType is the issue type of the report when its words went.
	erasedType string
	assignment assignmentEvent
	moved      decision // newest move
	verified   decision // first move to verified
	reason     decision // newest event that says why the report is rejected or removed
	rejection  decision // newest event that says why it is rejected
	takenDown  takenDown
	analysis   analysisEvent
	prior      priorEvent

	leaves []leaf
}

// moveEvent is an event that the status history has a row for.
type moveEvent struct{ old, status, kind, agency, at, noteHash string }

// commentEvent is a COMMENT_ADDED.
type commentEvent struct {
	id       uuid.UUID
	hash, at string
	official bool
	removed  bool
}

// assignmentEvent is the newest event that names who the report is assigned to; its seq is 0 without one.
type assignmentEvent struct {
	seq  int
	hash string
}

// decision is an event about the status. Its version is 0 without one.
type decision struct {
	version, seq               int
	status, at, code, noteHash string
}

// takenDown is the event that rejected, withdrew or removed the report as it is now; its version is 0 without one.
type takenDown struct {
	version  int
	at, kind string // kind of the actor
}

// analysisEvent is the newest event that vouches for the analysis that the report shows; its seq is 0 without one.
type analysisEvent struct {
	seq  int
	hash string
	ai   *Assessment // nil where the report was pending
}

// priorEvent is the newest event that vouches for the rows of an earlier version; its hash is "" without one.
type priorEvent struct {
	hash, at string
	removed  map[uuid.UUID]bool // comments that were removed since
}

// leaf is an event's place in the log.
type leaf struct {
	seq     int
	index   int64
	hash    tlog.Hash
	message *uuid.UUID // the first that covers it
	covered *MessageState
}

func newFold() *fold {
	return &fold{moves: map[int]moveEvent{}, comments: map[int]commentEvent{}, prior: priorEvent{removed: map[uuid.UUID]bool{}}, salted: map[int]bool{}, erased: map[int]bool{}}
}

// chain adds an event to f. It checks hash, columns and predecessor.
func (v *verifier) chain(f *fold, number string, l *link) {
	sum := sha256.Sum256(l.Payload)
	if !bytes.Equal(sum[:], l.Hash) {
		v.fail("hash", "event %d: its payload hashes to %x, recorded is %x", l.Seq, sum, l.Hash)
	}
	if l.Seq != f.count+1 {
		v.fail("chain", "event %d is missing: the next one found is %d", f.count+1, l.Seq)
	}
	if !bytes.Equal(l.Prev, f.hash) {
		v.fail("chain", "event %d does not follow event %d", l.Seq, f.count)
	}
	f.count, f.hash, f.newest = f.count+1, sum[:], nil
	f.leaves = append(f.leaves, leaf{l.Seq, l.Index, LeafHash(l.Payload), l.Message, l.Covered})
	p, err := decode(l.Payload)
	if err != nil {
		v.expect("hash", l.Seq, err)
		return
	}
	v.expect("hash", l.Seq, l.agrees(p, number))
	if got := deref(p.Prev); got != hex.EncodeToString(l.Prev) {
		v.fail("chain", "event %d names %q as its predecessor", l.Seq, got)
	}
	f.add(p)
}

// agrees compares the payload with the columns beside it.
func (l *link) agrees(p *payload, number string) error {
	if _, err := payloadInstant(p.At); err != nil {
		return errors.New("its payload has no time")
	}
	if p.Event != l.Type || p.Seq != l.Seq {
		return fmt.Errorf("its payload is event %d, %s; the row says %d, %s", p.Seq, p.Event, l.Seq, l.Type)
	}
	if p.ReportNumber == nil || *p.ReportNumber != number {
		return errors.New("its payload is about another report")
	}
	return nil
}

// add takes in what p says.
func (f *fold) add(p *payload) {
	f.newest = p
	if f.count == 1 {
		f.first = p.Version
	}
	if p.CreatedAt != "" {
		f.createdAt = p.CreatedAt
	}
	f.located = f.located || slices.Contains([]report.Status{report.Verified, report.InProgress, report.Fixed, report.Duplicate}, report.Status(p.Status))
	if p.RowsHash != "" {
		f.prior = priorEvent{hash: p.RowsHash, at: p.At, removed: map[uuid.UUID]bool{}}
	}
	if p.Event == Submitted || p.NoteHash != "" || p.Comment != nil || p.AssignmentHash != "" {
		f.salted[p.Seq] = true
	}
	if p.AssignmentHash != "" {
		f.assignment = assignmentEvent{p.Seq, p.AssignmentHash}
	}
	if p.Version > 1 && (p.Event == Submitted || p.OldStatus != "") {
		f.moves[p.Seq] = moveEvent{p.OldStatus, p.Status, p.ChangedBy.Kind, p.ChangedBy.Agency, p.At, p.NoteHash}
	}
	f.addDecision(p)
	f.addOne(p)
}

// addDecision takes in what p says about the status, its reasons and the analysis.
func (f *fold) addDecision(p *payload) {
	d := decision{p.Version, p.Seq, p.Status, p.At, p.ReasonCode, p.NoteHash}
	if p.Event == Withdrawn || p.OldStatus != "" {
		f.takenDown = takenDown{}
		if p.Event == Withdrawn || p.Status == string(report.Rejected) {
			f.takenDown = takenDown{p.Version, p.At, p.ChangedBy.Kind}
		}
	}
	if p.OldStatus != "" {
		f.moved, f.reason, f.rejection = d, d, d
		if f.verified.version == 0 && p.Status == string(report.Verified) {
			f.verified = d
		}
	}
	if p.Event == AIValidated && p.ReasonCode != "" { // a person upheld the rejection
		f.reason, f.rejection = d, d
	}
	if p.Event == Withdrawn || p.Baseline && p.ReasonCode != "" {
		f.reason = d
	}
	if p.Version > 1 && (p.Event == AIValidated || p.Baseline) {
		f.analysis = analysisEvent{p.Seq, p.AIHash, p.AI}
	}
}

// addOne takes in what belongs to one type of event.
func (f *fold) addOne(p *payload) {
	switch p.Event {
	case Withdrawn:
		f.withdrawnAt = p.At
	case Incident:
		f.incident = p.Detail
	case Commented:
		if p.Comment != nil {
			f.comments[p.Seq] = commentEvent{id: p.Comment.ID, hash: p.Comment.Hash, at: p.At, official: p.ChangedBy.Kind != string(report.ActorCitizen)}
		}
	case Uncommented:
		if p.CommentID != nil {
			f.prior.removed[*p.CommentID] = true
		} else if c, ok := f.comments[p.CommentSeq]; ok {
			c.removed = true
			f.comments[p.CommentSeq] = c
		}
	case Erased:
		gone := p.Erased
		if p.Version == 1 { // it named none, and the report's own was the only salt
			gone = []int{1}
		}
		for _, seq := range gone {
			f.erased[seq] = true
			if seq == 1 {
				f.erasedType = p.IssueType
			}
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

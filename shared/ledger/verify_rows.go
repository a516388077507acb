package ledger

import (
	"crypto/hmac"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/report"
)

// rows compares the rows beside the report with the events that vouch for them.
func (v *verifier) rows(f *fold, r *records) {
	v.salts(f, r)
	v.history(f, r)
	v.comments(f, r)
	v.assignment(f, r)
	v.priorRows(f, r)
	v.count(r)
}

// salts checks that every event with a salted hash still has its salt, but for those that a CONTENT_ERASED lists.
func (v *verifier) salts(f *fold, r *records) {
	for _, seq := range slices.Sorted(maps.Keys(f.salted)) {
		switch {
		case r.salts[seq] == nil && !f.erased[seq]:
			v.fail("salts", "the salt of event %d is gone, and no event says that it was erased", seq)
		case r.salts[seq] != nil && f.erased[seq]:
			v.fail("salts", "event %d was erased, and its salt is still there", seq)
		}
	}
}

// history compares the status history with the events that moved the report, one to one.
func (v *verifier) history(f *fold, r *records) {
	rows := map[int]moveRow{}
	for _, row := range r.moves {
		if _, known := f.moves[row.Seq]; !known || rows[row.Seq].New != "" {
			v.fail("history", "a row of the status history names event %d, which did not write it", row.Seq)
		}
		rows[row.Seq] = row
	}
	for _, seq := range slices.Sorted(maps.Keys(f.moves)) {
		said := f.moves[seq]
		row, ok := rows[seq]
		if !ok {
			v.fail("history", "event %d moved the report to %s, and the status history has no row for it", seq, said.status)
			continue
		}
		now := moveEvent{deref(row.Old), row.New, row.Kind, bounded(deref(row.Agency), maxWord), *instant(&row.At), said.noteHash}
		if now != said {
			v.fail("history", "the row of event %d differs from it", seq)
		}
		v.committed("history", "note", seq, said.noteHash, deref(row.Note), f, r, func(salt []byte) ([]byte, error) { return NoteHash(salt, deref(row.Note)) })
	}
}

// comments compares the comments with the events that added and removed them.
func (v *verifier) comments(f *fold, r *records) {
	rows := map[int]commentRow{}
	for _, row := range r.comments {
		if _, known := f.comments[row.Seq]; !known || rows[row.Seq].Seq != 0 {
			v.fail("comments", "a comment names event %d, which did not add it", row.Seq)
		}
		rows[row.Seq] = row
	}
	for _, seq := range slices.Sorted(maps.Keys(f.comments)) {
		said := f.comments[seq]
		row, ok := rows[seq]
		if !ok {
			v.fail("comments", "the comment of event %d is gone", seq)
			continue
		}
		now := commentEvent{row.ID, said.hash, *instant(&row.At), row.Official, row.Removed}
		if now != said {
			v.fail("comments", "the comment of event %d differs from it", seq)
		}
		if f.erased[seq] && !row.Gone {
			v.fail("comments", "the comment of event %d was erased, and its author has an account", seq)
		}
		v.committed("comments", "comment", seq, said.hash, row.Content, f, r, func(salt []byte) ([]byte, error) {
			if row.Author == nil {
				return nil, nil
			}
			return CommentHash(salt, *row.Author, row.Content)
		})
	}
}

// count compares how many comments the report says that it has with those that were not removed.
func (v *verifier) count(r *records) {
	n := 0
	for _, c := range r.comments {
		if !c.Removed {
			n++
		}
	}
	for _, c := range r.prior.Comments {
		if c.RemovedAt == nil {
			n++
		}
	}
	if n != r.CommentsCount {
		v.fail("comments", "it has %d comments, and says %d", n, r.CommentsCount)
	}
}

// committed compares words with their salted hash in an event. Words whose salt was erased must be empty.
func (v *verifier) committed(property, what string, seq int, hash, words string, f *fold, r *records, compute func(salt []byte) ([]byte, error)) {
	salt := r.salts[seq]
	switch {
	case f.erased[seq]:
		v.leaveOut("Words of comments or notes were erased with their author's account. What they were, and who wrote them, can no longer be told.")
		if words != "" {
			v.fail(property, "the %s of event %d was erased, and it has words now", what, seq)
		}
	case hash == "" && words != "":
		v.fail(property, "event %d had no %s, and its row has one", seq, what)
	case hash != "" && salt != nil: // the check of salts reports a missing one
		now, err := compute(salt)
		recorded, hexErr := hex.DecodeString(hash)
		if err != nil || hexErr != nil || !hmac.Equal(now, recorded) {
			v.fail(property, "the %s of event %d differs from it", what, seq)
		}
	}
}

// assignment compares who the report is assigned to with the newest event that says so.
func (v *verifier) assignment(f *fold, r *records) {
	switch said := f.assignment; {
	case said.seq == 0 && f.first == 1:
		if r.AssignedTo != nil {
			v.leaveOut("No event names the person who was assigned before the public log.")
		}
	case said.seq == 0:
		if r.AssignedTo != nil {
			v.fail("assignment", "it is assigned to a person, and no event says so")
		}
	default:
		v.committed("assignment", "assignment", said.seq, said.hash, "", f, r, func(salt []byte) ([]byte, error) { return AssignmentHash(salt, r.AssignedTo) })
	}
}

// priorRows compares the rows of an earlier version with the hash in the baseline event.
func (v *verifier) priorRows(f *fold, r *records) {
	rows := r.prior
	switch salt := r.salts[1]; {
	case len(rows.History) == 0 && len(rows.Comments) == 0 && f.prior.hash == "":
	case f.first != 1:
		v.fail("history", "%d rows of the status history and %d comments have no event", len(rows.History), len(rows.Comments))
	case f.prior.hash == "" || salt == nil: // the check of salts reports one that is missing without an event
		v.leaveOut("No event vouches for the status history and the comments from before the public log, or its salt was erased.")
	default:
		removed := rows.keepRemovedSince(f.prior.at)
		if now, err := rows.Hash(salt); err != nil || now != f.prior.hash {
			v.fail("history", "the status history or the comments from before the public log differ from those of the baseline event")
		}
		if !maps.Equal(removed, f.prior.removed) {
			v.fail("comments", "other comments from before the public log were removed than events say")
		}
	}
}

// keepRemovedSince makes r as it was at a time, as payloadTime: comments that were removed later are not removed. It returns
// their ids.
func (r *PriorRows) keepRemovedSince(at string) map[uuid.UUID]bool {
	limit, _ := payloadInstant(at)
	out := map[uuid.UUID]bool{}
	r.Comments = slices.Clone(r.Comments)
	for i := range r.Comments {
		if gone := r.Comments[i].RemovedAt; gone != nil {
			if t, err := time.Parse(time.RFC3339Nano, *gone); err == nil && t.After(limit.Add(time.Millisecond)) {
				r.Comments[i].RemovedAt = nil
				out[r.Comments[i].ID] = true
			}
		}
	}
	return out
}

// incident reports an event that says that the report did not hold when the public log began.
func (v *verifier) incident(f *fold) {
	if f.incident != "" {
		v.fail("incident", "an event says: %s", f.incident)
	}
}

// waits records which events are not in the published log, or not on the ledger, yet. published is the size of the log.
func (v *verifier) waits(f *fold, shown report.LedgerStatus, published int64) {
	if f.count == 0 {
		v.lost = true
		v.fail("anchored", "the report has no events")
	}
	if !v.config.Anchored() {
		v.leaveOut("The public ledger: this system has no account on it. The log is published all the same.")
	}
	// Of an event of an earlier version, and of a baseline, the report says what it said before there was a log.
	if p := f.newest; p != nil && p.Version > 1 && !p.Baseline && shown == report.LedgerConfirmed {
		if l := f.leaves[len(f.leaves)-1]; l.covered == nil || *l.covered != MessageConfirmed {
			v.lost = true
			v.fail("anchored", "it says that it is confirmed on the ledger, and event %d is %s", l.seq, statusOf(l.covered))
		}
	}
	for _, l := range f.leaves {
		switch {
		case l.index >= published:
			v.waiting = true
			v.fail("anchored", "event %d waits to be published in the log", l.seq)
		case !v.config.Anchored():
		case l.covered == nil || *l.covered != MessageConfirmed:
			v.waiting = true
			v.fail("anchored", "event %d is in the log and %s on the ledger, not yet confirmed", l.seq, statusOf(l.covered))
		}
	}
	if v.waiting {
		v.leaveOut("Events that are not published yet, or not confirmed on the ledger yet: everything else about them was compared.")
	}
}

package ledger

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// commit is the commitment to v: HMAC-SHA-256 under salt of the canonical JSON of v. Without the salt nobody can confirm a
// guess of v.
func commit(salt []byte, v any) ([]byte, error) {
	raw, err := canonical(v)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write(raw)
	return mac.Sum(nil), nil
}

// commitments are the salted hashes in a payload; nil where it has none.
type commitments struct{ content, analysis, note, comment, assignment []byte }

// salted reports whether the event has a salt of its own.
func (e *Event) salted() bool {
	return e.Type == Submitted || e.Type == Assigned || e.Note != "" || e.Comment != nil
}

// commitments are those of the event itself, under its salt.
func (e *Event) commitments(salt []byte) (commitments, error) {
	var out commitments
	var err error
	if e.Note != "" {
		if out.note, err = NoteHash(salt, e.Note); err != nil {
			return out, err
		}
	}
	if e.Comment != nil {
		if out.comment, err = CommentHash(salt, e.Comment.Author, e.Comment.Content); err != nil {
			return out, err
		}
	}
	if e.Type == Assigned {
		out.assignment, err = AssignmentHash(salt, e.AssignedTo)
	}
	return out, err
}

// NoteHash is the note_hash of an event with the salt.
func NoteHash(salt []byte, note string) ([]byte, error) {
	return commit(salt, struct {
		Note string `json:"note"`
	}{note})
}

// CommentHash is the comment.hash of an event with the salt.
func CommentHash(salt []byte, author uuid.UUID, words string) ([]byte, error) {
	return commit(salt, struct {
		Author  uuid.UUID `json:"author"`
		Content string    `json:"content"`
	}{author, words})
}

// AssignmentHash is the assignment_hash of an event with the salt; to is nil where no person is named.
func AssignmentHash(salt []byte, to *uuid.UUID) ([]byte, error) {
	return commit(salt, struct {
		AssignedTo *uuid.UUID `json:"assigned_to"`
	}{to})
}

const saltBytes = 32

// newSalt makes and stores the salt of event seq of a report.
func newSalt(p database.Pipeline, report uuid.UUID, seq int, at time.Time) []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	p.Queue(`INSERT INTO report_salts (report_id, seq, salt, created_at) VALUES ($1, $2, $3, $4)`, report, seq, salt, at)
	return salt
}

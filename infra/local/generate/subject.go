package generate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/report"
)

// subject is a report with its history, comments and picture.
type subject struct {
	i          int
	id, client uuid.UUID
	number     string
	author     int // number of the person
	issueType  string
	severity   string
	score      *int16
	title      string
	text       string
	lat, lon   float64
	place      town
	suco       string
	street     string
	hash       []byte
	at         time.Time
	anonymous  bool
	withdrawn  *time.Time
	duplicates int // number of the report it is a duplicate of, -1 when of none
	agency     int // -1 when not assigned
	due        *time.Time
	aiStatus   string
	moves      []move
	comments   []comment
	picture    *picture
	detailed   bool
	updated    time.Time
}

// move is one status change.
type move struct {
	id       uuid.UUID
	old, new string
	kind     string
	note     *string
	at       time.Time
}

type comment struct {
	id       uuid.UUID
	author   int
	official bool
	content  string
	at       time.Time
}

type picture struct {
	upload, image uuid.UUID
	look          int64
	sha           []byte
}

func (w *dataset) year(i int) int { return w.createdAt(i).In(report.Zone()).Year() }

func (w *dataset) number(i int) string {
	year := w.year(i)
	return fmt.Sprintf("LS-%d-%06d", year, i-w.first[year]+1)
}

// reportID is the id of subject(i), without making the rest of it.
func (w *dataset) reportID(i int) uuid.UUID { return newID(w.createdAt(i), w.draw(ofReport, i)) }

// subject is report i. The order of the random numbers must not change: the same seed would give other rows.
func (w *dataset) subject(i int) *subject {
	r := w.draw(ofReport, i)
	s := &subject{i: i, at: w.createdAt(i), duplicates: -1, agency: -1, detailed: w.detailed(i)}
	s.id = newID(s.at, r)
	s.client = newID(s.at.Add(-time.Minute), r)
	s.number = w.number(i)
	// A few people have many reports.
	s.author = int(math.Pow(r.Float64(), 1.5) * float64(w.people))
	s.issueType, s.severity = pick(r, w.types), pick(r, w.severities)
	s.place = pick(r, w.towns)
	s.suco, s.street = one(r, s.place.sucos), one(r, w.streets)
	s.lat, s.lon = s.place.around(w.country, r)
	s.title, s.text = w.title(r, s.issueType, s.suco), w.description(r)
	s.hash = bytes32(r)
	s.anonymous = r.Float64() < 0.1
	w.addHistory(s, r)
	s.picturesAndComments(w, r)
	if !s.detailed {
		s.comments = nil
	}
	return s
}

// addHistory adds status changes: older reports have more of them.
func (w *dataset) addHistory(s *subject, r *rand.Rand) {
	age := w.Until.Sub(s.at)
	s.aiStatus, s.updated = "queued", s.at
	s.step(r, "", "pending", "citizen", nil, s.at)
	verdict := s.at.Add(time.Duration(5+r.IntN(120)) * time.Second)
	if verdict.After(w.Until) {
		return
	}
	fate := r.Float64()
	switch {
	case fate < 0.03:
		s.aiStatus = "needs_review"
		return
	case fate < 0.08:
		s.aiStatus = "rejected"
		s.step(r, "pending", "rejected", "ai", text("The picture shows no road problem."), verdict)
		return
	case fate < 0.12 && s.i > 100:
		s.aiStatus, s.duplicates = "completed", s.i-1-r.IntN(100)
		s.step(r, "pending", "duplicate", "moderator", nil, verdict.Add(time.Hour))
		return
	case fate < 0.14:
		gone := verdict.Add(time.Hour)
		s.aiStatus, s.withdrawn, s.updated = "completed", &gone, gone
		return
	}
	s.aiStatus = "completed"
	score := int16(1 + r.IntN(10))
	s.score = &score
	s.step(r, "pending", "verified", "ai", nil, verdict)
	days := func(most int) time.Duration { return time.Duration(r.IntN(most*24)) * time.Hour }
	begun := verdict.Add(24*time.Hour + days(60))
	if begun.After(w.Until) || r.Float64() < 0.25 && age < 400*24*time.Hour {
		return
	}
	s.agency = r.IntN(len(w.agencies))
	due := begun.Add(30 * 24 * time.Hour)
	s.due = &due
	s.step(r, "verified", "in_progress", "government_official", nil, begun)
	fixed := begun.Add(24*time.Hour + days(90))
	if fixed.After(w.Until) {
		return
	}
	s.step(r, "in_progress", "fixed", "government_official", text("Repaired and checked on site."), fixed)
}

func (s *subject) step(r *rand.Rand, old, to, kind string, note *string, at time.Time) {
	s.moves = append(s.moves, move{newID(at, r), old, to, kind, note, at})
	s.updated = at
}

func (s *subject) picturesAndComments(w *dataset, r *rand.Rand) {
	if r.Float64() < 0.85 {
		s.picture = &picture{upload: newID(s.at.Add(-time.Minute), r), image: newID(s.at, r), look: int64(r.Uint64()), sha: bytes32(r)}
	}
	for range max(0, r.IntN(6)-3) {
		at := s.at.Add(time.Duration(r.IntN(14*24*60)) * time.Minute)
		if at.After(w.Until) || s.withdrawn != nil {
			break
		}
		s.comments = append(s.comments, comment{newID(at, r), r.IntN(w.people), false, one(r, w.remarks), at})
	}
}

func (s *subject) status() string { return s.moves[len(s.moves)-1].new }

// when is the time of the last change to a status.
func (s *subject) when(status string) *time.Time {
	for i := len(s.moves) - 1; i >= 0; i-- {
		if s.moves[i].new == status {
			return &s.moves[i].at
		}
	}
	return nil
}

func text(s string) *string { return &s }

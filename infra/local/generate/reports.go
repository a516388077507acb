package generate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

func (f *filler) reports(ctx context.Context, subjects []*subject) error {
	columns := []string{"id", "report_number", "user_id", "client_id", "content_hash", "issue_type", "title", "description", "severity",
		"severity_score", "priority", "status", "rejection_reason", "latitude", "longitude", "location_accuracy", "address", "street",
		"suco", "district", "municipality", "municipality_code", "geocoded_at", "geocode_source", "assigned_agency_id", "assigned_at",
		"due_at", "duplicate_of", "ai_status", "ai_analysis_id", "blockchain_status", "is_anonymous", "comments_count", "version",
		"created_at", "updated_at", "verified_at", "resolved_at", "deleted_at", "assigned_user_id", "flags_count"}
	return f.copySubjects(ctx, "reports", columns, subjects, func(s *subject, row write) {
		var reason *string
		if s.status() == "rejected" {
			reason = s.moves[len(s.moves)-1].note
		}
		var original, agency, analysis *uuid.UUID
		if s.duplicates >= 0 {
			id := f.reportID(s.duplicates)
			original = &id
		}
		if s.agency >= 0 {
			id := f.agencyID(s.agency)
			agency = &id
		}
		if id, ok := s.analysis(); ok {
			analysis = &id
		}
		chain := "queued"
		if f.ledgered(s.i) {
			chain = "confirmed"
		}
		row(s.id, s.number, f.personID(s.author), s.client, s.hash, s.issueType, s.title, s.text, s.severity,
			s.score, s.severity, s.status(), reason, s.lat, s.lon, float32(5+s.i%40), s.street+", "+s.suco+", "+s.place.municipality, s.street,
			s.suco, s.place.post, s.place.municipality, s.place.code, s.at.Add(5*time.Second), "nominatim", agency, s.when("in_progress"),
			s.due, original, s.aiStatus, analysis, chain, s.anonymous, len(s.comments), len(s.moves),
			s.at, s.updated, s.when("verified"), s.when("fixed"), s.withdrawn, f.assignee(s), f.flags(s))
	})
}

// numbers writes how many reports each year has.
func (f *filler) numbers(ctx context.Context) error {
	for year := range f.first {
		if _, err := f.conn.Exec(ctx, `INSERT INTO report_numbers (year, last) VALUES ($1, $2)`, year, f.countIn(year)); err != nil {
			return fmt.Errorf("write report_numbers: %w", err)
		}
	}
	return nil
}

// assignee is the person who has a report; nil for none. The official has a fourth of what the first agency has.
func (f *filler) assignee(s *subject) *uuid.UUID {
	if s.agency != 0 || s.i%4 != 0 {
		return nil
	}
	id := f.personID(f.official())
	return &id
}

// flags is the number of open flags: one report in 1,000 has one.
func (f *filler) flags(s *subject) int {
	if s.i%1000 == 7 && s.withdrawn == nil {
		return 1
	}
	return 0
}

func (f *filler) pictures(ctx context.Context, subjects []*subject) error {
	columns := []string{"id", "user_id", "s3_key", "content_type", "size_bytes", "state", "width", "height", "blurhash", "original_sha256",
		"display_sha256", "perceptual_hash", "created_at", "processed_at", "attached_at", "expires_at"}
	err := f.copySubjects(ctx, "uploads", columns, subjects, func(s *subject, row write) {
		if p := s.picture; p != nil {
			row(p.upload, f.personID(s.author), "originals/"+p.upload.String(), "image/jpeg", int64(300_000+s.i%900_000), "processed", int32(1280), int32(960),
				"LEHV6nWB2yk8pyo0adR*.7kCMdnj", p.sha, p.sha, p.look, s.at.Add(-time.Minute), s.at, s.at, s.at.AddDate(0, 0, 7))
		}
	})
	if err != nil {
		return err
	}
	columns = []string{"id", "report_id", "upload_id", "kind", "added_by", "created_at", "verdict"}
	return f.copySubjects(ctx, "report_images", columns, subjects, func(s *subject, row write) {
		if p := s.picture; p != nil {
			row(p.image, s.id, p.upload, "evidence", f.personID(s.author), s.at, verdictOn[s.aiStatus])
		}
	})
}

// verdictOn is the verdict about the picture of a report by the AI status of the report.
var verdictOn = map[string]string{"queued": "awaited", "needs_review": "unsure", "rejected": "irrelevant", "completed": "relevant"}

// actor is the account that made a status change. Nil for AI.
func (f *filler) actor(s *subject, m move) *uuid.UUID {
	var id uuid.UUID
	switch m.kind {
	case "citizen":
		id = f.personID(s.author)
	case "moderator":
		id = f.personID(f.moderator())
	case "government_official":
		id = f.personID(f.official())
	default:
		return nil
	}
	return &id
}

func (f *filler) histories(ctx context.Context, subjects []*subject) error {
	columns := []string{"id", "report_id", "old_status", "new_status", "actor_kind", "actor_id", "agency_id", "note", "created_at"}
	return f.copySubjects(ctx, "report_status_history", columns, subjects, func(s *subject, row write) {
		for _, m := range s.moves {
			var old *string
			if m.old != "" {
				old = &m.old
			}
			var agency *uuid.UUID
			if m.kind == "government_official" {
				id := f.agencyID(s.agency)
				agency = &id
			}
			row(m.id, s.id, old, m.new, m.kind, f.actor(s, m), agency, m.note, m.at)
		}
	})
}

func (f *filler) comments(ctx context.Context, subjects []*subject) error {
	columns := []string{"id", "report_id", "author_id", "content", "is_official", "created_at"}
	return f.copySubjects(ctx, "report_comments", columns, subjects, func(s *subject, row write) {
		for _, c := range s.comments {
			row(c.id, s.id, f.personID(c.author), c.content, c.official, c.at)
		}
	})
}

// analysis is the id of the AI analysis of the report. It is false when there is none.
func (s *subject) analysis() (uuid.UUID, bool) {
	if !s.detailed || s.picture == nil || s.aiStatus != "completed" && s.aiStatus != "rejected" {
		return uuid.UUID{}, false
	}
	return newID(s.at, rand.New(rand.NewPCG(uint64(s.picture.look), 1))), true
}

func (f *filler) analyses(ctx context.Context, subjects []*subject) error {
	columns := []string{"id", "report_id", "image_id", "run_id", "stage", "model", "prompt_version", "input_hash", "status", "is_relevant",
		"relevance_confidence", "damage_type", "severity", "severity_score", "confidence", "recommended_repair", "latency_ms", "input_tokens",
		"output_tokens", "created_at"}
	return f.copySubjects(ctx, "ai_analyses", columns, subjects, func(s *subject, row write) {
		id, ok := s.analysis()
		if !ok {
			return
		}
		row(id, s.id, s.picture.image, s.id, "damage", "us.amazon.nova-2-lite-v1:0", "1", s.picture.sha, s.aiStatus, s.aiStatus == "completed",
			float32(0.97), s.issueType, s.severity, s.score, float32(0.9), "Fill and compact", int32(900+s.i%2000), int32(2100), int32(160), s.at.Add(time.Minute))
	})
}

func (f *filler) notifications(ctx context.Context, subjects []*subject) error {
	columns := []string{"id", "user_id", "type", "event_key", "report_id", "params", "read_at", "created_at"}
	types := map[string]string{"pending": "report_received", "verified": "report_verified", "rejected": "report_rejected",
		"in_progress": "report_status_changed", "fixed": "report_fixed", "duplicate": "report_duplicate"}
	return f.copySubjects(ctx, "notifications", columns, subjects, func(s *subject, row write) {
		r := f.draw(ofNotice, s.i)
		for _, m := range s.moves {
			var read *time.Time
			if at := m.at.Add(time.Hour); m.at.Before(f.Until.AddDate(0, 0, -30)) || r.Float64() < 0.5 {
				read = &at
			}
			row(newID(m.at, r), f.personID(s.author), types[m.new], "status:"+m.id.String(), s.id,
				map[string]string{"report_number": s.number, "status": m.new}, read, m.at)
		}
	})
}

package reports

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// attachedPicture is a picture that a report has or had.
type attachedPicture struct {
	Image     uuid.UUID
	Kind      string
	Removed   bool
	Upload    uuid.UUID
	State     upload.State
	Hash      []byte // SHA-256 of the original as far as known
	IssuedAt  time.Time
	ExpiresAt time.Time
	Verdict   report.PictureVerdict
}

// maxKnownPictures is the most pictures of a report that are read, those that it has first.
const maxKnownPictures = 500

// askPictures reads the pictures that a report has and had, oldest first, and locks their uploads: no worker changes their
// state before the transaction ends.
func askPictures(p database.Pipeline, about report.About) *database.Ask[[]attachedPicture] {
	const q = `
		SELECT i.id, i.kind, i.deleted_at IS NOT NULL, p.id, p.state, coalesce(p.original_sha256, p.sha256), p.created_at, p.expires_at, i.verdict
		FROM report_images i JOIN uploads p ON p.id = i.upload_id
		WHERE i.report_id = ` + report.IDSQL + `
		ORDER BY i.deleted_at IS NOT NULL, i.created_at, i.id LIMIT $3 FOR NO KEY UPDATE OF p`
	return database.AskRows(p, pgx.RowToStructByPos[attachedPicture], q, about.Args(maxKnownPictures)...)
}

// places says which pictures of one kind a report can take.
type places struct {
	free int
	// lost are images that nobody will ever see: no usable bytes came, or they show no problem. They take no place.
	lost []uuid.UUID
	// awaited are images whose bytes may still come, oldest first. A newer picture may replace them.
	awaited []uuid.UUID
}

// placesOf sorts the pictures of a kind that a report has. Most is the number that it may have.
func placesOf(pictures []attachedPicture, kind string, most int, now time.Time) places {
	out := places{free: most}
	for _, p := range pictures {
		switch {
		case p.Removed || p.Kind != kind:
		case upload.Lost(p.State, p.IssuedAt, p.ExpiresAt, now), kind != resolution && p.Verdict == report.PictureIrrelevant:
			out.lost = append(out.lost, p.Image)
		default:
			out.free--
			if p.State == upload.Issued {
				out.awaited = append(out.awaited, p.Image)
			}
		}
	}
	return out
}

// take makes place for n more pictures. It returns the images that go: those that are lost, and the oldest awaited ones
// where all places are taken. It reports false, and nothing goes, if there is no place for n.
func (p places) take(n int) ([]uuid.UUID, bool) {
	replaced := max(0, n-p.free)
	if replaced > len(p.awaited) {
		return nil, false
	}
	return append(p.lost, p.awaited[:replaced]...), true
}

// removeImages takes images from their report and has their files deleted.
func removeImages(p database.Pipeline, ids []uuid.UUID) {
	if len(ids) > 0 {
		p.Queue(`UPDATE report_images SET deleted_at = now() WHERE id = ANY($1)`, ids)
	}
	for _, id := range ids {
		upload.Discard(p, id)
	}
}

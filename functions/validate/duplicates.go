package validate

import (
	"context"
	"fmt"

	"github.com/pgvector/pgvector-go"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// Bounds of the search for duplicates: recent reports, near, of the same issue type.
const (
	// candidateAge is the greatest age of a candidate, a PostgreSQL interval.
	candidateAge = "90 days"
	// waterRadiusFactor multiplies the radius for flooding and drainage, which cover a larger area.
	waterRadiusFactor = 4
	// maxCompared is how many of the nearest reports are compared by picture and text.
	maxCompared = 50
	// maxCandidates is how many candidates are stored for one report.
	maxCandidates = 5
	// minTextSimilarity is the trigram similarity (0 to 1) that makes a candidate if a picture is missing.
	minTextSimilarity = 0.5
)

// duplicatesSQL takes the nearest reports from the index, one after the other, and compares no others: in a flood hundreds of reports
// are about one place.
const duplicatesSQL = `
	WITH this AS (SELECT id, position, title || ' ' || description AS words FROM reports WHERE id = $1),
	near AS (
		SELECT r.id, r.distance, r.words, this.words AS own FROM this, LATERAL (
			SELECT r.id, ST_Distance(r.position, this.position) AS distance, r.title || ' ' || r.description AS words FROM reports r
			WHERE r.id <> this.id AND r.deleted_at IS NULL AND r.status <> 'rejected' AND r.status <> 'duplicate' AND r.issue_type IN ($2, $3)
			  AND r.created_at > now() - $9::interval AND ST_DWithin(r.position, this.position, $4)
			ORDER BY r.position <-> this.position LIMIT $5) r),
	compared AS MATERIALIZED (
		SELECT id, distance, similarity(words, own) AS text_similarity,
		       (SELECT max(1 - (e.embedding <=> $6::vector)) FROM report_embeddings e WHERE e.report_id = near.id AND e.model = $7) AS similarity
		FROM near)
	INSERT INTO duplicate_candidates (report_id, candidate_id, similarity, distance_meters)
	SELECT $1, id, similarity, distance FROM compared
	WHERE similarity >= $8 OR similarity IS NULL AND text_similarity >= $10
	ORDER BY similarity DESC NULLS LAST, distance LIMIT $11
	ON CONFLICT (report_id, candidate_id) DO UPDATE SET similarity = excluded.similarity, distance_meters = excluded.distance_meters`

// storeDuplicates stores the reports that may be about the same problem and returns
// how many there are. An index finds the near reports; only these are compared by
// the exact cosine of their embeddings. Staff decide; no report is closed here.
func (w *Worker) storeDuplicates(ctx context.Context, tx *outbox.Tx, s subject, v verdict) (int, error) {
	d := v.damage()
	if d == nil {
		return 0, nil
	}
	radius := v.settings.DuplicateRadius
	if isWater(s.issueType) || isWater(d.IssueType) {
		radius *= waterRadiusFactor
	}
	var vector *pgvector.Vector
	if v.deciding.embedding != nil {
		p := pgvector.NewVector(v.deciding.embedding)
		vector = &p
	}
	tag, err := tx.Exec(ctx, duplicatesSQL, s.id, s.issueType, d.IssueType, float64(radius), maxCompared, vector, w.cfg.Models.Embedding,
		v.settings.DuplicateSimilarity, candidateAge, minTextSimilarity, maxCandidates)
	if err != nil {
		return 0, fmt.Errorf("look for duplicates: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

func isWater(t report.IssueType) bool { return t == report.Flooding || t == report.Drainage }

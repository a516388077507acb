package validate

import (
	"context"
	"fmt"

	"github.com/pgvector/pgvector-go"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// What may be the same problem: reported lately, close by, of the same kind.
const (
	lately = "90 days"
	// spread is how much further apart two reports of water may be than of a hole.
	spread = 4
	// nearby bounds how many are compared picture by picture.
	nearby = 50
	// suggested is how many are shown to staff.
	suggested = 5
	// alikeWords is the trigram similarity from which texts suggest a duplicate where a picture is missing.
	alikeWords = 0.5
)

// duplicates finds reports that may be of the same problem and returns how many.
// Place comes first, by index; only the few that remain are compared by exact
// cosine. Nothing is ever closed for it: staff decide.
func (w *Worker) duplicates(ctx context.Context, tx *outbox.Tx, s subject, v verdict) (int, error) {
	if v.damage == nil {
		return 0, nil
	}
	radius := v.settings.DuplicateRadius
	if water(s.issueType) || water(v.damage.IssueType) {
		radius *= spread
	}
	var vector *pgvector.Vector
	if v.embedding != nil {
		p := pgvector.NewVector(v.embedding)
		vector = &p
	}
	const q = `
		WITH me AS (SELECT id, position, title, description FROM reports WHERE id = $1),
		near AS (
			SELECT r.id, ST_Distance(r.position, me.position) AS distance,
			       similarity(r.title || ' ' || r.description, me.title || ' ' || me.description) AS words
			FROM reports r, me
			WHERE r.id <> me.id AND r.deleted_at IS NULL AND r.status <> 'rejected' AND r.issue_type IN ($2, $3)
			  AND r.created_at > now() - $9::interval AND ST_DWithin(r.position, me.position, $4)
			ORDER BY distance LIMIT $5),
		compared AS (
			SELECT near.id, near.distance, near.words,
			       (SELECT max(1 - (e.embedding <=> $6::vector)) FROM report_embeddings e WHERE e.report_id = near.id AND e.model = $7) AS similarity
			FROM near)
		INSERT INTO duplicate_candidates (report_id, candidate_id, similarity, distance_meters)
		SELECT $1, id, similarity, distance FROM compared
		WHERE similarity >= $8 OR similarity IS NULL AND words >= $10
		ORDER BY similarity DESC NULLS LAST, distance LIMIT $11
		ON CONFLICT (report_id, candidate_id) DO UPDATE SET similarity = excluded.similarity, distance_meters = excluded.distance_meters`
	tag, err := tx.Exec(ctx, q, s.id, s.issueType, v.damage.IssueType, float64(radius), nearby, vector, w.cfg.Models.Embedding,
		v.settings.DuplicateSimilarity, lately, alikeWords, suggested)
	if err != nil {
		return 0, fmt.Errorf("look for duplicates: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

func water(t report.IssueType) bool { return t == report.Flooding || t == report.Drainage }

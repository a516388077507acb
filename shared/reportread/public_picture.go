package reportread

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// PublicPicture returns the S3 key of a rendition of a picture. It fails with report.ErrNotFound and "image_not_found" where the
// public may not see it, and with the 410 of Viewer.Refuse where its report was taken down.
func (r *Reader) PublicPicture(ctx context.Context, ref report.Ref, image uuid.UUID, rendition upload.Rendition) (string, error) {
	about, err := ref.About()
	if err != nil {
		return "", err
	}
	const q = `SELECT p.id, p.generation
		FROM report_images ri JOIN uploads p ON p.id = ri.upload_id JOIN reports r ON r.id = ri.report_id
		WHERE ri.id = $3 AND ri.deleted_at IS NULL AND p.state = 'processed' AND ` + report.PublicPictureSQL + ` AND ` + report.ShownSQL + ` AND ri.report_id = ` + report.IDSQL
	type row struct {
		ID         uuid.UUID
		Generation int
	}
	batch := &database.Batch{}
	Public().MayRead(batch, about)
	found := database.AskRow(batch, pgx.RowToStructByPos[row], q, about.Args(image)...).Missing(problem.New(problem.NotFound, "image_not_found"))
	if err := batch.Send(ctx, r.db); err != nil {
		return "", fmt.Errorf("find picture: %w", err)
	}
	return upload.RenditionKey(found.Get().ID, found.Get().Generation, rendition), nil
}

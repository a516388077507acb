package reportread

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// similarMeters is the largest distance between similar reports, in metres. It covers inaccurate positions of phones, and
// people at both ends of a flooded street.
const similarMeters = 250

// maxCompared is the number of reports whose pictures are compared, nearest first.
const maxCompared = 200

// shownPicture is true for a picture ri, with the upload p, that everybody is shown of a report that is not hidden. One that is
// being redacted still has the hash of before.
const shownPicture = `(p.state = 'processed' AND ` + report.PublicPictureSQL + `)`

// Point is a place in degrees WGS 84.
type Point struct{ Latitude, Longitude float64 }

// SimilarQuery says what to compare with: a report, an upload of Owner, or only a point.
type SimilarQuery struct {
	ReportID *uuid.UUID
	UploadID *uuid.UUID
	Owner    uuid.UUID
	Point    *Point
	Limit    int
}

// Similar is a report that may be about the same problem.
type Similar struct {
	_ struct{} `schema:"ReportSimilar"`
	Summary
	Similarity     *float64 `json:"similarity" minimum:"-1" maximum:"1" doc:"Of the pictures, 1 is the same; null where there is nothing to compare"`
	SimilarityBy   *string  `json:"similarity_by" enum:"meaning,look" doc:"meaning: cosine of embeddings. look: share of equal bits of a perceptual hash, for a picture that is not analysed yet"`
	DistanceMeters *float64 `json:"distance_meters"`
}

// origin is what other reports are compared with.
type origin struct {
	point     *Point
	hash      *int64  // perceptual
	embedding *string // as pgvector writes it
	model     *string
}

// reportOrigin is a report as an origin.
type reportOrigin struct {
	origin
	exact, shown Point
	public       *bool // shownPicture of its picture; nil without one
	author       *uuid.UUID
}

// shownTo returns what v may know of the origin; readable is whether v may read the report.
func (o reportOrigin) shownTo(v Viewer, readable bool) origin {
	o.point = &o.exact
	if !readable {
		o.point = &o.shown
	}
	if !readable || o.public == nil || !*o.public && !v.KnowsAuthor(o.author) {
		o.hash, o.embedding, o.model = nil, nil, nil
	}
	return o.origin
}

// Similar lists the open reports that v may see near the place of l, the most similar first. If there is no place, it lists
// the reports with the same picture.
func (r *Reader) Similar(ctx context.Context, v Viewer, l SimilarQuery) ([]Similar, error) {
	o, err := r.origin(ctx, v, l)
	if err != nil {
		return nil, err
	}
	if o.point == nil && o.hash == nil {
		return []Similar{}, nil
	}
	query, args := o.similarSQL(v, l)
	found, err := r.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find similar reports: %w", err)
	}
	out := []Similar{}
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (*summaryRow, error) {
		s := &summaryRow{}
		var item Similar
		var meaning, look *float64
		if err := row.Scan(append(s.targets(), &item.DistanceMeters, &meaning, &look)...); err != nil {
			return nil, err
		}
		item.Similarity, item.SimilarityBy = similarityOf(meaning, look)
		out = append(out, item)
		return s, nil
	})
	if err != nil {
		return nil, fmt.Errorf("find similar reports: %w", err)
	}
	summaries, err := r.presentAll(ctx, v, rows)
	if err != nil {
		return nil, fmt.Errorf("find similar reports: %w", err)
	}
	for i := range summaries {
		out[i].Summary = summaries[i]
	}
	return out, nil
}

// similarSQL returns the query of Similar and its arguments. Its columns are those of summaryRow, the distance in metres,
// and both similarities. o must have a point or a hash.
func (o origin) similarSQL(v Viewer, l SimilarQuery) (string, []any) {
	var w where
	by := v.geometry()
	v.visible(&w, "")
	w.and(report.OpenSQL)
	if l.ReportID != nil {
		w.and("r.id <> ?", *l.ReportID)
	}
	pictureReadable := "true" // of pictures ri, with the uploads p, of reports that v may read
	if !v.staff {
		pictureReadable = w.bind("("+shownPicture+" OR r.user_id = ?)", v.userID)
	}
	near := ""
	if o.point != nil {
		here := w.bind("ST_SetSRID(ST_MakePoint(?, ?), 4326)::geography", o.point.Longitude, o.point.Latitude)
		bounds := w.bind("ST_GeogFromText(?)", circle{o.point.Longitude, o.point.Latitude, similarMeters}.bounds())
		near = `SELECT r.*, n.meters FROM (` + by.nearest(w.sql(), bounds, here, maxCompared) + `) n JOIN reports r ON r.id = n.id` +
			fmt.Sprintf(` WHERE n.meters <= %d ORDER BY n.meters LIMIT %d`, similarMeters, maxCompared)
	} else {
		hash := w.bind("?", *o.hash)
		w.and(`r.id IN (SELECT ri.report_id FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
			WHERE p.perceptual_hash = ` + hash + ` AND ri.deleted_at IS NULL AND ` + pictureReadable + `)`)
		v.onlyReadable(&w)
		near = `SELECT r.*, NULL::float8 AS meters FROM reports r WHERE ` + w.sql() + fmt.Sprintf(` ORDER BY r.created_at DESC LIMIT %d`, maxCompared)
	}
	compared := v.readable(&w) + " AND " + pictureReadable
	cosine := w.bind("1 - (e.embedding <=> ?::vector)", o.embedding)
	model := w.bind("e.model = ?", o.model)
	look := w.bind("1 - bit_count((p.perceptual_hash # ?::bigint)::bit(64)) / 64.0", o.hash)
	query := `SELECT ` + summaryColumns + v.following(&w) + `, r.meters, like_by_meaning.v, like_by_look.v FROM (` + near + `) r` + summaryJoins + `
		LEFT JOIN LATERAL (SELECT max(` + cosine + `)::float8 AS v FROM report_embeddings e JOIN report_images ri ON ri.id = e.image_id JOIN uploads p ON p.id = ri.upload_id
			WHERE e.report_id = r.id AND ri.deleted_at IS NULL AND ` + model + ` AND ` + compared + `) like_by_meaning ON true
		LEFT JOIN LATERAL (SELECT max(` + look + `)::float8 AS v FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
			WHERE ri.report_id = r.id AND ri.deleted_at IS NULL AND ri.kind = 'evidence' AND ` + compared + `) like_by_look ON true
		ORDER BY coalesce(like_by_meaning.v, like_by_look.v) DESC NULLS LAST, r.meters NULLS LAST, r.id` + fmt.Sprintf(` LIMIT %d`, l.Limit)
	return query, w.args
}

// similarityOf returns the similarity by meaning if there is one, else the similarity by look, and the name of the one it
// returns. Both results are nil if there is neither.
func similarityOf(meaning, look *float64) (*float64, *string) {
	by := "meaning"
	if meaning != nil {
		return meaning, &by
	}
	by = "look"
	if look != nil {
		return look, &by
	}
	return nil, nil
}

func (r *Reader) origin(ctx context.Context, v Viewer, l SimilarQuery) (origin, error) {
	var o origin
	var err error
	switch {
	case l.ReportID != nil:
		const q = `
			SELECT r.latitude, r.longitude, ` + report.ShownLatitudeSQL + `, ` + report.ShownLongitudeSQL + `, p.public, p.perceptual_hash, e.embedding::text, e.model, r.user_id
			FROM reports r
			LEFT JOIN LATERAL (SELECT p.perceptual_hash, ri.id, ` + shownPicture + ` AS public FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
				WHERE ri.report_id = r.id AND ri.deleted_at IS NULL AND ri.kind = 'evidence' ORDER BY public DESC, ri.created_at, ri.id LIMIT 1) p ON true
			LEFT JOIN LATERAL (SELECT embedding, model FROM report_embeddings WHERE image_id = p.id ORDER BY created_at DESC LIMIT 1) e ON true
			WHERE r.id = $1`
		batch := &database.Batch{}
		readable := v.MayRead(batch, report.AboutID(*l.ReportID))
		found := database.AskRow(batch, func(row pgx.CollectableRow) (reportOrigin, error) {
			var o reportOrigin
			err := row.Scan(&o.exact.Latitude, &o.exact.Longitude, &o.shown.Latitude, &o.shown.Longitude, &o.public, &o.hash, &o.embedding, &o.model, &o.author)
			return o, err
		}, q, *l.ReportID)
		if err = batch.Send(ctx, r.db); err == nil {
			o = found.Get().shownTo(v, readable.Get())
		}
	case l.UploadID != nil:
		const q = `SELECT perceptual_hash FROM uploads WHERE id = $1 AND user_id = $2`
		err = r.db.QueryRow(ctx, q, *l.UploadID, l.Owner).Scan(&o.hash)
		if errors.Is(err, pgx.ErrNoRows) {
			return origin{}, upload.ErrUnknown
		}
	}
	if err != nil {
		return origin{}, fmt.Errorf("read what to compare with: %w", err)
	}
	if l.Point != nil {
		o.point = l.Point
	}
	return o, nil
}

package notify

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/report"
)

// card is what a mail to whoever works on a report, or has an alert, shows of it.
type card struct {
	ID                  uuid.UUID
	Number              string
	IssueType           report.IssueType
	Status              report.Status
	Places              [5]*string // from the smallest: address, street, suco, district, municipality
	shown               [3]*string // suco, district, municipality, for others while the words are hidden
	Latitude, Longitude float64    // degrees, WGS 84
	Due                 *time.Time
	Picture             *uuid.UUID // one that everybody may see
	Shown, Words        bool       // the report, and its words, to others than its reporter and staff
	Disputed            *string    // why somebody says that it is not fixed, where everybody may read it
}

// cardsSQL reads the reports $1 that were not taken down. With $2 it reads rejected ones too: an appeal waits for a moderator.
const cardsSQL = `
	SELECT r.id, r.report_number, r.issue_type, r.status, r.address, r.street, r.suco, r.district, r.municipality,
	       ` + report.ShownSucoSQL + `, ` + report.ShownDistrictSQL + `, ` + report.ShownMunicipalitySQL + `, r.latitude, r.longitude, r.due_at,
	       (SELECT ri.id FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
	         WHERE ri.report_id = r.id AND ri.deleted_at IS NULL AND ri.kind = 'evidence' AND p.state = 'processed'
	           AND ` + report.PublicPictureSQL + ` AND ` + report.ShownSQL + `
	         ORDER BY ri.created_at, ri.id LIMIT 1), ` + report.ShownSQL + `, ` + report.WordsShownSQL + `,
	       (SELECT CASE WHEN dc.deleted_at IS NULL AND dc.hidden IS NULL THEN nullif(dc.content, '') END
	          FROM report_disputes d LEFT JOIN report_comments dc ON dc.id = d.comment_id
	         WHERE d.report_id = r.id AND r.resolved_at IS NULL ORDER BY d.created_at DESC, d.id DESC LIMIT 1)
	FROM reports r WHERE r.id = ANY($1) AND r.deleted_at IS NULL AND ($2 OR r.status <> 'rejected')`

// readCards returns the reports with these ids that a mail may show, rejected ones only if asked for.
func (w *Worker) readCards(ctx context.Context, ids []uuid.UUID, rejected bool) (map[uuid.UUID]card, error) {
	out := make(map[uuid.UUID]card, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := w.db.Query(ctx, cardsSQL, ids, rejected)
	if err != nil {
		return nil, fmt.Errorf("read reports of mail: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (card, error) {
		var c card
		p := &c.Places
		err := row.Scan(&c.ID, &c.Number, &c.IssueType, &c.Status, &p[0], &p[1], &p[2], &p[3], &p[4], &c.shown[0], &c.shown[1], &c.shown[2],
			&c.Latitude, &c.Longitude, &c.Due, &c.Picture, &c.Shown, &c.Words, &c.Disputed)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read reports of mail: %w", err)
	}
	for _, c := range found {
		out[c.ID] = c
	}
	return out, nil
}

// forOthers returns what others than staff may read of a report. It is false where they may read nothing.
func (c card) forOthers() (card, bool) {
	if !c.Words {
		c.Places = [5]*string{2: c.shown[0], 3: c.shown[1], 4: c.shown[2]} // address and street are words of a person
	}
	return c, c.Shown
}

// maxPlace is the longest name of a place in a mail, in characters.
const maxPlace = 200

// place names where the report is, each name once, from the smallest to the largest.
func (c card) place() string {
	var out []string
	for _, p := range c.Places {
		if p == nil {
			continue
		}
		if name := oneLine(*p); name != "" && !strings.Contains(strings.Join(out, ", "), name) {
			out = append(out, name)
		}
	}
	text := []rune(strings.Join(out, ", "))
	return string(text[:min(len(text), maxPlace)])
}

// entry renders a card. With work it is for whoever has to go there: with picture and exact place.
func (w *Worker) entry(c card, l locale.Language, work bool) entry {
	out := entry{Title: c.Number + " · " + word(l, "label.issue_type."+string(c.IssueType))}
	degrees := func(d float64) string { return strconv.FormatFloat(d, 'f', 5, 64) }
	place := c.place()
	if work {
		place = strings.TrimPrefix(place+" ("+degrees(c.Latitude)+", "+degrees(c.Longitude)+")", " ")
	}
	if place != "" {
		out.Lines = append(out.Lines, wordWith(l, "mail.report.place", map[string]string{"place": place}))
	}
	if c.Due != nil {
		out.Lines = append(out.Lines, wordWith(l, "mail.report.due", map[string]string{"date": locale.Date(l, c.Due.In(report.Zone()))}))
	}
	if work && c.Disputed != nil {
		out.Lines = append(out.Lines, wordWith(l, "mail.report.disputed", map[string]string{"note": oneLine(*c.Disputed)}))
	}
	if !w.links.Absolute() {
		return out
	}
	out.Links = []link{{word(l, "mail.link.report"), w.links.Report(c.Number)}}
	if work {
		out.Links = append(out.Links, link{word(l, "mail.link.map"), w.links.Map(c.Latitude, c.Longitude)})
		if c.Picture != nil {
			out.Picture = w.links.Picture(c.Number, *c.Picture, "thumbnail")
			out.Alt = wordWith(l, "mail.report.picture", map[string]string{notification.ParamReportNumber: c.Number})
		}
	}
	return out
}

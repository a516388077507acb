package web

import (
	"context"
	_ "embed" // the page
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

//go:embed pages/stats.html
var statsHTML string

type statsInput struct {
	PageInput
	Municipality string `query:"municipality" maxLength:"100" doc:"Code or name, in any spelling; all when left out" example:"TL-DI"`
	Quarter      string `query:"quarter" pattern:"^(20[0-9]{2}(-?[Qq][1-4])?)?$" doc:"A quarter or a year; all time when left out" example:"2026-Q3"`
	Year         string `query:"year" pattern:"^(20[0-9]{2})?$" doc:"A year; quarter counts before it" example:"2026"`
}

// statsView is what the page of statistics shows.
type statsView struct {
	view
	now          time.Time
	period       period
	code         string // of the municipality; empty for all
	places       []geocoding.Municipality
	months       *opendata.Months
	agencies     []opendata.ByAgency
	municipality string // its name, in the reader's language
}

// stats renders the figures of a municipality and a period, or of all.
func (w *Web) stats(ctx context.Context, in *statsInput) (*pageOutput, error) {
	ctx, v := w.view(ctx, in.PageInput)
	s := &statsView{view: v, now: w.clock.Now(), period: parsePeriod(in.Quarter, in.Year)}
	if err := w.readStats(ctx, s, in.Municipality); err != nil {
		return nil, err
	}
	if s.code != "" || !s.period.from.IsZero() {
		v.filters = url.Values{"municipality": {s.code}, "quarter": {s.period.value()}}.Encode()
	}
	title := v.t("page.stats.title")
	if about := s.about(); about != "" {
		title += ": " + about
	}
	return v.render(content{title: title, description: v.t("page.stats.what"), head: v.stylesheet("stats.css"), current: "/stats", main: literal(statsHTML), wide: true,
		modules: []string{"stats.js"}, silent: true, values: map[string]fragment{
			"title": text(title), "as_of": s.asOf(), "places": s.placeOptions(), "periods": s.periodOptions(), "short": s.inShort(), "without_place": s.withoutPlace(),
			"by_month": s.byMonth(), "by_municipality": s.byMunicipality(), "by_type": s.byType(), "agencies": s.byAgency(),
		}})
}

// readStats reads what the page shows. A municipality that is not known is a 422.
func (w *Web) readStats(ctx context.Context, s *statsView, municipality string) error {
	var err error
	if s.places, err = w.places.All(ctx); err != nil {
		return fmt.Errorf("read municipalities: %w", err)
	}
	if municipality != "" {
		code, ok, err := w.places.Code(ctx, municipality)
		if err != nil {
			return fmt.Errorf("find municipality: %w", err)
		}
		if !ok {
			return problem.InvalidField("municipality", "no municipality goes by that name")
		}
		s.code = code
	}
	for _, m := range s.places {
		if m.Code == s.code {
			s.municipality = locale.Name(s.lang, m.Name, m.NameTet, m.NamePt)
		}
	}
	if s.months, err = opendata.ReadMonths(ctx, w.db, s.code, s.period.from, s.period.to); err != nil {
		return err
	}
	if s.agencies, err = opendata.ReadByAgency(ctx, w.db, s.now, s.period.days()); err != nil || s.code == "" {
		return err
	}
	return w.keepAgenciesOf(ctx, s)
}

// keepAgenciesOf leaves out the agencies that do not work in the municipality.
func (w *Web) keepAgenciesOf(ctx context.Context, s *statsView) error {
	const query = `SELECT code FROM agencies WHERE deleted_at IS NULL AND (municipality_codes = '{}' OR $1 = ANY (municipality_codes))`
	rows, err := w.db.Query(ctx, query, s.code)
	if err != nil {
		return fmt.Errorf("find agencies of a municipality: %w", err)
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find agencies of a municipality: %w", err)
	}
	works := make(map[string]bool)
	for _, code := range codes {
		works[code] = true
	}
	var kept []opendata.ByAgency
	for _, a := range s.agencies {
		if works[a.Agency.Code] {
			kept = append(kept, a)
		}
	}
	s.agencies = kept
	return nil
}

// about names the municipality and the period; empty for all.
func (s *statsView) about() string {
	var parts []string
	for _, part := range []string{s.municipality, s.period.name(s.view)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// asOf says when the figures were read, and where they are from.
func (s *statsView) asOf() fragment {
	now := s.now.In(report.Zone())
	return text(s.with("page.stats.as_of", map[string]string{"date": locale.Date(s.lang, now), "time": now.Format("15:04"), "source": s.web.String()}))
}

func (s *statsView) placeOptions() fragment {
	out := []fragment{option("", s.t("page.stats.everywhere"), s.code == "")}
	for _, m := range s.places {
		out = append(out, option(m.Code, locale.Name(s.lang, m.Name, m.NameTet, m.NamePt), m.Code == s.code))
	}
	return joined(out)
}

// periodOptions offers all time, and the years and quarters that have figures.
func (s *statsView) periodOptions() fragment {
	out := []fragment{option("", s.t("page.stats.all_time"), s.period.from.IsZero())}
	now := s.now.In(report.Zone())
	first := now.Year()
	if y := s.months.First.Year(); !s.months.First.IsZero() && y < first {
		first = max(y, first-20)
	}
	for year := now.Year(); year >= first; year-- {
		whole := yearOf(year)
		out = append(out, option(whole.value(), whole.name(s.view), whole == s.period))
		for q := 4; q >= 1; q-- {
			if p := quarterOf(year, q); p.from.Before(now) {
				out = append(out, option(p.value(), p.name(s.view), p == s.period))
			}
		}
	}
	return joined(out)
}

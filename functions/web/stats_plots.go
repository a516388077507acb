package web

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/opendata"
)

// plotRow is a row of a plot: two bars with their numbers.
type plotRow struct {
	name            string
	received, fixed int
}

// plot is a table of numbers with a bar for each: the table is what a screen reader reads, and what is left where no picture is drawn.
// The bars differ by their form and not by their colour alone: one is hollow, the other filled.
func (s *statsView) plot(heading, first, fixed string, rows []plotRow) fragment {
	most := 1
	for _, r := range rows {
		most = max(most, r.received, r.fixed)
	}
	width := func(n int) fragment { return text(strconv.FormatFloat(float64(n)*100/float64(most), 'f', 1, 64)) }
	var out []fragment
	for _, r := range rows {
		out = append(out, markup(`<tr><th scope="row">%s</th><td class="n">%s</td><td class="n">%s</td><td class="bars"><svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true" focusable="false">`+
			`<rect class="received" x="0" y="1" width="%s" height="8"/><rect class="fixed" x="0" y="11" width="%s" height="8"/></svg></td></tr>`,
			text(r.name), s.number(r.received), s.number(r.fixed), width(r.received), width(r.fixed)))
	}
	return markup(`<section class="card plot"><h2>%s</h2><table><thead><tr><th scope="col">%s</th><th scope="col" class="n">`+
		`<svg class="key" viewBox="0 0 12 12" aria-hidden="true"><rect class="received" x="1" y="1" width="10" height="10"/></svg>%s</th><th scope="col" class="n">`+
		`<svg class="key" viewBox="0 0 12 12" aria-hidden="true"><rect class="fixed" x="1" y="1" width="10" height="10"/></svg>%s</th><td></td></tr></thead><tbody>%s</tbody></table></section>`,
		text(heading), text(first), text(s.t("page.stats.received")), text(fixed), joined(out))
}

func (s *statsView) number(n int) fragment { return text(locale.Number(s.lang, n)) }

// inShort are the most important figures.
func (s *statsView) inShort() fragment {
	f := s.months.All
	share := func(part, whole int) fragment {
		if whole == 0 {
			return text("–")
		}
		return markup(`%s <small>%s %s</small>`, text(strconv.Itoa(int(math.Round(float64(part)*100/float64(whole))))+" %"), s.number(part),
			text(s.with("page.stats.of", map[string]string{"all": locale.Number(s.lang, whole)})))
	}
	var out []fragment
	for _, one := range []struct {
		key   string
		value fragment
	}{
		{"received", s.number(f.Received)}, {"open", s.number(f.Open)}, {"fixed", s.number(f.Fixed)}, {"rejected", s.number(f.Rejected)}, {"duplicate", s.number(f.Duplicate)},
		{"kept", share(f.Kept, f.Due)}, {"overridden", share(f.Overridden, f.Judged)},
	} {
		out = append(out, markup(`<div data-figure="%s"><dt>%s</dt><dd>%s</dd></div>`, text(one.key), text(s.t("page.stats."+one.key)), one.value))
	}
	return joined(out)
}

// withoutPlace says how many reports no municipality counts; empty where there are none.
func (s *statsView) withoutPlace() fragment {
	f := s.months.ByMunicipality[""]
	if s.code != "" || f == nil || f.Received == 0 {
		return ""
	}
	return markup(`<p data-testid="without-place">%s</p>`, text(s.count("page.stats.without_place", f.Received)))
}

func (s *statsView) byMonth() fragment {
	var rows []plotRow
	for _, m := range s.period.months(s.now) {
		row := plotRow{name: locale.Capitalized(fmt.Sprintf("%s %d", locale.Months(s.lang)[m.Month()-1], m.Year()))}
		if f := s.months.ByMonth[m]; f != nil {
			row.received, row.fixed = f.Received, f.WasFixed
		}
		rows = append(rows, row)
	}
	return s.plot(s.t("page.stats.by_month"), s.t("page.stats.month"), s.t("page.stats.fixed_then"), rows)
}

// byMunicipality compares the municipalities; empty for the figures of one. Reports whose municipality is not known are in the last row.
func (s *statsView) byMunicipality() fragment {
	if s.code != "" {
		return ""
	}
	row := func(code, name string) plotRow {
		out := plotRow{name: name}
		if f := s.months.ByMunicipality[code]; f != nil {
			out.received, out.fixed = f.Received, f.Fixed
		}
		return out
	}
	var rows []plotRow
	for _, m := range s.places {
		rows = append(rows, row(m.Code, locale.Name(s.lang, m.Name, m.NameTet, m.NamePt)))
	}
	if unknown := row("", s.t("page.stats.unknown")); unknown.received > 0 {
		rows = append(rows, unknown)
	}
	return s.plot(s.t("page.stats.by_municipality"), s.t("page.stats.municipality"), s.t("page.stats.fixed_of"), rows)
}

func (s *statsView) byType() fragment {
	var rows []plotRow
	for _, kind := range s.months.Types() {
		f := s.months.ByType[kind]
		rows = append(rows, plotRow{name: s.label("issue_type", kind), received: f.Received, fixed: f.Fixed})
	}
	if rows == nil {
		return markup(`<section class="card"><h2>%s</h2><p>%s</p></section>`, text(s.t("page.stats.by_type")), text(s.t("page.stats.none")))
	}
	return s.plot(s.t("page.stats.by_type"), s.t("page.stats.type"), s.t("page.stats.fixed_of"), rows)
}

// byAgency is the table of the agencies. Of a municipality it has those that work there, with all their reports.
func (s *statsView) byAgency() fragment {
	heading, note := s.t("page.stats.by_agency"), s.t("page.stats.agencies_all")
	if s.code != "" {
		note = s.with("page.stats.agencies_of", map[string]string{"municipality": s.municipality})
	}
	if len(s.agencies) == 0 {
		return markup(`<section class="card"><h2>%s</h2><p>%s</p></section>`, text(heading), text(s.t("page.stats.no_agency")))
	}
	columns := []string{"agency", "assigned", "open", "overdue", "fixed", "kept", "reopened", "start", "fix"}
	var head, body []fragment
	for _, c := range columns {
		head = append(head, markup(`<th scope="col">%s</th>`, text(s.t("page.stats."+c))))
	}
	for _, a := range s.agencies {
		body = append(body, s.agencyRow(a))
	}
	return markup(`<section class="card"><h2>%s</h2><p class="soft">%s</p><p class="soft sideways no-print">%s</p><div class="scroll" tabindex="0" role="region" aria-label="%s"><table class="agencies"><thead><tr>%s</tr></thead><tbody>%s</tbody></table></div></section>`,
		text(heading), text(note), text(s.t("page.stats.sideways")), text(heading), joined(head), joined(body))
}

func (s *statsView) agencyRow(a opendata.ByAgency) fragment {
	cells := []fragment{markup(`<th scope="row">%s</th>`, text(a.Agency.Name))}
	for _, n := range []int{a.Assigned, a.Open, a.Overdue, a.Fixed, a.Kept, a.Reopened} {
		cells = append(cells, markup(`<td class="n">%s</td>`, s.number(n)))
	}
	for _, h := range []*float64{a.MedianHoursToStart, a.MedianHoursToFix} {
		cells = append(cells, markup(`<td class="n">%s</td>`, s.took(h)))
	}
	return markup(`<tr data-agency="%s">%s</tr>`, text(a.Agency.Code), joined(cells))
}

// took writes a number of hours, from two days on as days; a dash for none.
func (s *statsView) took(hours *float64) fragment {
	switch {
	case hours == nil:
		return text("–")
	case *hours < 48:
		return text(s.with("page.stats.hours", map[string]string{"n": strconv.Itoa(int(math.Round(*hours)))}))
	}
	return text(s.with("page.stats.days", map[string]string{"n": locale.Number(s.lang, int(math.Round(*hours/24)))}))
}

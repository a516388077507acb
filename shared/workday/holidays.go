package workday

import (
	"slices"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// holiday is a public holiday of the law. It is a fixed date, or a number of days after Easter Sunday (western churches).
type holiday struct {
	month  time.Month
	day    int
	easter int // days after Easter Sunday, where month is 0
	since  int // the first year
	law    string
	name   string
}

// The laws that name the holidays: Law 10/2005 of 10 August, article 2, as Law 3/2016 of 25 May and Law 10/2023 of 5 April amend it.
const (
	law2005Fixed   = "Law 10/2005, article 2 (1)"
	law2005Movable = "Law 10/2005, article 2 (2)"
	law2016        = "Law 10/2005, article 2 (1), as amended by Law 3/2016"
	law2023        = "Law 10/2005, article 2 (1), as amended by Law 10/2023"
)

// holidays are the public holidays of Timor-Leste that a rule gives.
//
// The law has two more: Idul Fitri and Idul Adha, article 2 (2). They follow the moon, and the government announces their dates
// each year. An administrator enters them in the setting holidays, and also days that the government gives off
// (tolerância de ponto, article 7), elections for example.
//
// The lists of fixed dates were compared with those that the government published for the years 2013 to 2022. The text of
// Law 10/2023 was not at hand: that it makes 3 November a holiday is taken from two lists of holidays of later years. If that is
// wrong, a deadline over this date ends one working day late.
func holidays() []holiday {
	return []holiday{
		{month: time.January, day: 1, since: 2006, law: law2005Fixed, name: "New Year"},
		{month: time.March, day: 3, since: 2017, law: law2016, name: "Veterans' Day"},
		{easter: -2, since: 2006, law: law2005Movable, name: "Good Friday"},
		{month: time.May, day: 1, since: 2006, law: law2005Fixed, name: "World Labour Day"},
		{month: time.May, day: 20, since: 2006, law: law2005Fixed, name: "Restoration of Independence"},
		{easter: 60, since: 2006, law: law2005Movable, name: "Corpus Christi"},
		{month: time.August, day: 30, since: 2006, law: law2005Fixed, name: "Popular Consultation"},
		{month: time.November, day: 1, since: 2006, law: law2005Fixed, name: "All Saints"},
		{month: time.November, day: 2, since: 2006, law: law2005Fixed, name: "All Souls"},
		{month: time.November, day: 3, since: 2023, law: law2023, name: "National Women's Day"},
		{month: time.November, day: 12, since: 2006, law: law2005Fixed, name: "National Youth Day"},
		{month: time.November, day: 28, since: 2006, law: law2005Fixed, name: "Proclamation of Independence"},
		// Until 2016 National Heroes' Day, from then on Memorial Day.
		{month: time.December, day: 7, since: 2006, law: law2016, name: "Memorial Day"},
		{month: time.December, day: 8, since: 2006, law: law2005Fixed, name: "Immaculate Conception"},
		{month: time.December, day: 25, since: 2006, law: law2005Fixed, name: "Christmas"},
		{month: time.December, day: 31, since: 2016, law: law2016, name: "National Heroes' Day"},
	}
}

// Holiday is a public holiday of the law in one year.
type Holiday struct {
	Date timestamp.Date `json:"date"`
	Key  string         `json:"key"` // its English name in lower case, with underscores: "veterans_day"
}

// Holidays returns the holidays of a year that deadlines know by themselves, by date.
func Holidays(year int) []Holiday {
	var out []Holiday
	for _, h := range holidays() {
		if on, ok := h.in(year); ok {
			day := timestamp.Date{Time: time.Date(on.year, on.month, on.day, 0, 0, 0, 0, time.UTC)}
			out = append(out, Holiday{Date: day, Key: strings.NewReplacer("'", "", " ", "_").Replace(strings.ToLower(h.name))})
		}
	}
	slices.SortFunc(out, func(a, b Holiday) int { return a.Date.Compare(b.Date.Time) })
	return out
}

// in returns the date of the holiday in a year; false for a year before its law.
func (h holiday) in(year int) (date, bool) {
	if year < h.since {
		return date{}, false
	}
	if h.month == 0 {
		return easter(year).plus(h.easter), true
	}
	return date{year, h.month, h.day}, true
}

// easter is Easter Sunday of the Gregorian calendar (the algorithm of Meeus, Jones and Butcher).
func easter(year int) date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return date{year, time.Month(n / 31), n%31 + 1}
}

package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// tableReports are the months of the table: at rest, and two sizes.
var tableReports = []int{0, 10_000, 1_000_000}

// sums are the costs of a month by group, and in all under "sum".
type sums map[string]float64

func (m *Model) sums(profile string, reports int) (sums, error) {
	lines, err := m.Month(profile, reports)
	out := sums{}
	for _, l := range lines {
		out[l.Group] += l.USD()
		out["sum"] += l.USD()
	}
	return out, err
}

// columns are the sums of each column of the table.
func (m *Model) columns() ([]sums, error) {
	var out []sums
	for _, profile := range []string{External, Managed} {
		for _, reports := range tableReports {
			s, err := m.sums(profile, reports)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

// Table is decision 0014's table: what a month costs by group, profile and number of reports.
func (m *Model) Table() (string, error) {
	columns, err := m.columns()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| | external, at rest | 10 k reports | 1 M | managed, at rest | 10 k reports | 1 M |\n|---|---|---|---|---|---|---|\n")
	for _, group := range append(Groups[:len(Groups):len(Groups)], "sum") {
		name, form := group, " %s |"
		if group == "sum" {
			name, form = "**sum**", " **%s** |"
		}
		b.WriteString("| " + name + " |")
		for i, c := range columns {
			if group == servers && i < len(tableReports) {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, form, dollars(c[group]))
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

// Summary is the README's table.
func (m *Model) Summary() (string, error) {
	columns, err := m.columns()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| profile | at rest | 10 k reports | 1 M reports | of it AI, log and ledger |\n|---|---|---|---|---|\n")
	for i, name := range []string{"`external`, without the PostgreSQL", "`managed`, NAT instance"} {
		c := columns[i*len(tableReports):][:len(tableReports)]
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %s | %.0f, %.0f, %s |\n", name, c[0]["sum"], c[1]["sum"], hundreds(c[2]["sum"]),
			c[0][ai]+c[0][proof], c[1][ai]+c[1][proof], hundreds(c[2][ai]+c[2][proof]))
	}
	return b.String(), nil
}

// Items is what one month is billed for, line by line.
func (m *Model) Items(profile string, reports int) (string, error) {
	lines, err := m.Month(profile, reports)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| part | billed | quantity | free | price | USD |\n|---|---|---|---|---|---|\n")
	sum := 0.0
	for _, l := range lines {
		p := l.Price
		fmt.Fprintf(&b, "| %s | %s | %s %s | %s | %s per %s | %s |\n", l.Group, p.Name, number(l.Quantity), p.Unit, number(p.Free), price(p), number(p.Per), dollars(l.USD()))
		sum += l.USD()
	}
	fmt.Fprintf(&b, "| **sum** | | | | | **%s** |\n", dollars(sum))
	return b.String(), nil
}

// Assumptions lists what was not counted.
func (m *Model) Assumptions() string {
	var b strings.Builder
	b.WriteString("| assumed | value | why |\n|---|---|---|\n")
	for _, a := range m.Measured.Assumed {
		fmt.Fprintf(&b, "| %s | %s %s | %s |\n", a.Name, number(a.Value), a.Unit, a.Why)
	}
	return b.String()
}

// number writes a quantity without needless digits, with commas between thousands.
func number(v float64) string {
	if v < 1000 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return commas(fmt.Sprintf("%.0f", v))
}

// price is the amount of the first tier.
func price(p Price) string { return strconv.FormatFloat(p.Tiers[0].USD, 'f', -1, 64) }

func dollars(v float64) string { return commas(fmt.Sprintf("%.2f", v)) }

func hundreds(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return commas(fmt.Sprintf("%.0f00", v/100))
}

// commas writes commas between the thousands of a number.
func commas(s string) string {
	whole, rest, found := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		return whole + "." + rest
	}
	return whole
}

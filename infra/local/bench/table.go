package bench

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Table is printed with its columns aligned: the first to the left, the others to the right.
type Table struct {
	title   string
	columns []string
	rows    [][]string
	notes   []string
}

// NewTable returns a table without rows.
func NewTable(title string, columns ...string) *Table { return &Table{title: title, columns: columns} }

// Row adds a row. Durations are printed in milliseconds, float64 with two decimals.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch v := c.(type) {
		case time.Duration:
			row[i] = fmt.Sprintf("%.2f", float64(v.Microseconds())/1000)
		case float64:
			row[i] = fmt.Sprintf("%.2f", v)
		default:
			row[i] = fmt.Sprint(v)
		}
	}
	t.rows = append(t.rows, row)
}

// Note adds a line below the table.
func (t *Table) Note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func (t *Table) String() string {
	widths := make([]int, len(t.columns))
	for _, row := range append([][]string{t.columns}, t.rows...) {
		for i, cell := range row {
			if i < len(widths) {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", t.title)
	line := func(row []string) {
		for i, cell := range row {
			if i >= len(widths) {
				break
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("  " + cell + pad)
			} else {
				b.WriteString("  " + pad + cell)
			}
		}
		b.WriteString("\n")
	}
	line(t.columns)
	for _, row := range t.rows {
		line(row)
	}
	for _, note := range t.notes {
		b.WriteString("  " + note + "\n")
	}
	return b.String()
}

// Print writes a table to Options.Out.
func (r *Run) Print(t *Table) { fmt.Fprint(r.Out, t.String()) }

package open311

import (
	"encoding/json"
	"fmt"
	"io"
)

// Report is what a run found.
type Report struct {
	Server   string   `json:"server"`
	Requests int      `json:"requests"` // how many were sent
	Results  []Result `json:"results"`
}

// Result is what a run found for one requirement. Request, Met and Expected are those of the first deviation; Why says why it was not tried.
type Result struct {
	ID       string  `json:"id"`
	Section  string  `json:"section"`
	Level    Level   `json:"level"`
	Text     string  `json:"text"`
	Outcome  Outcome `json:"outcome"`
	Request  string  `json:"request,omitempty"`
	Met      string  `json:"met,omitempty"`
	Expected string  `json:"expected,omitempty"`
	Why      string  `json:"why,omitempty"`
}

// Count returns how many requirements of a level have an outcome.
func (r Report) Count(l Level, o Outcome) int {
	n := 0
	for _, result := range r.Results {
		if result.Level == l && result.Outcome == o {
			n++
		}
	}
	return n
}

// WriteJSON writes the report as one JSON object.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable writes a line for each requirement, what was met below those that failed, and the counts.
func (r Report) WriteTable(w io.Writer) error {
	section := ""
	for _, result := range r.Results {
		if result.Section != section {
			section = result.Section
			if _, err := fmt.Fprintf(w, "\n%s\n", section); err != nil {
				return err
			}
		}
		if err := result.write(w); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "\n%s, %d requests\n%-8s%6s%6s%11s\n", r.Server, r.Requests, "", Pass, Fail, NotTried); err != nil {
		return err
	}
	for _, l := range []Level{Must, Should, Extra} {
		if _, err := fmt.Fprintf(w, "%-8s%6d%6d%11d\n", l, r.Count(l, Pass), r.Count(l, Fail), r.Count(l, NotTried)); err != nil {
			return err
		}
	}
	return nil
}

func (r Result) write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "  %-10s %-7s %-30s %s\n", r.Outcome, r.Level, r.ID, r.Text); err != nil {
		return err
	}
	for _, line := range []struct{ name, text string }{{"request", r.Request}, {"met", r.Met}, {"expected", r.Expected}, {"why", r.Why}} {
		if line.text == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "  %21s %s\n", line.name+":", line.text); err != nil {
			return err
		}
	}
	return nil
}

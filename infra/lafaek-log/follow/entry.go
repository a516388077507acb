package follow

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// event is what a follower reads of an entry. Every version of events has these members.
type event struct {
	Event        string  `json:"event"`
	ReportNumber *string `json:"report_number"`
	Seq          int     `json:"seq"`
	Prev         *string `json:"prev"`
	Time         string  `json:"ts"`
	ChangedBy    struct {
		Kind   string `json:"kind"`
		Agency string `json:"agency"`
	} `json:"changed_by"`
	IssueType    string `json:"issue_type"`
	Status       string `json:"status"`
	OldStatus    string `json:"old_status"`
	Severity     string `json:"severity"`
	Municipality string `json:"municipality"`
	Agency       string `json:"agency"`
	DueAt        string `json:"due_at"`
	Location     struct {
		Lat json.Number `json:"lat"`
		Lon json.Number `json:"lon"`
	} `json:"location"`
	Key    *keyChange `json:"key"`
	Detail string     `json:"detail"`
}

// eventTime is RFC 3339 in UTC with milliseconds.
const eventTime = "2006-01-02T15:04:05.000Z"

// entry checks the next entry and keeps what later ones are compared with.
func (f *Follower) entry(raw []byte) error {
	index := f.state.Next
	f.state.Next++
	var e event
	at := time.Time{}
	err := json.Unmarshal(raw, &e)
	if err == nil {
		at, err = time.Parse(eventTime, e.Time)
	}
	if err != nil {
		f.alarm(Entry, "entry %d is no event: %v", index, err)
		return nil
	}
	number := ""
	if e.ReportNumber != nil {
		number = *e.ReportNumber
	}
	f.times(index, number, at)
	r := f.chain(index, number, &e, raw)
	if e.Seq == 1 {
		r.At = at
		f.given(number)
	}
	r.Answered = r.Answered || slices.Contains([]string{"STATUS_CHANGED", "ASSIGNED", "REPORT_WITHDRAWN"}, e.Event)
	switch {
	case e.Key != nil && e.Event == "KEY_CHANGED":
		e.Key.Index = index
		f.state.Changes = append(f.state.Changes, *e.Key)
	case e.Event == "INCIDENT":
		f.alarm(Reported, "entry %d, report %q: %s", index, number, e.Detail)
	}
	return f.row(index, number, &e)
}

// times checks that time does not run back, and that the entry did not come later than promised.
func (f *Follower) times(index int64, number string, at time.Time) {
	if at.Before(f.state.Newest.Add(-slack)) {
		f.alarm(Time, "entry %d of %s has the time %s, an earlier entry has %s", index, number, at.Format(eventTime), f.state.Newest.Format(eventTime))
	}
	if at.After(f.state.Newest) {
		f.state.Newest = at
	}
	if read := f.state.ReadAt; !read.IsZero() && at.Add(f.keys.delay()+slack).Before(read) {
		f.alarm(Late, "entry %d of %s is of %s, and was not in the log at %s", index, number, at.Format(eventTime), read.UTC().Format(time.RFC3339))
	}
}

// chain checks that e follows the report's event before it.
func (f *Follower) chain(index int64, number string, e *event, raw []byte) *report {
	r := f.state.reports[number]
	if r == nil {
		r = &report{Number: number}
		f.state.reports[number] = r
	}
	prev := ""
	if e.Prev != nil {
		prev = *e.Prev
	}
	switch {
	case e.Seq != r.Seq+1:
		f.alarm(Chain, "entry %d is event %d of %s, after event %d", index, e.Seq, number, r.Seq)
	case prev != r.Hash:
		f.alarm(Chain, "entry %d, event %d of %s, does not follow the event before it", index, e.Seq, number)
	case number != "" && (e.Event == "REPORT_SUBMITTED") != (e.Seq == 1):
		f.alarm(Chain, "entry %d, event %d of %s, is a %s", index, e.Seq, number, e.Event)
	}
	sum := sha256.Sum256(raw)
	r.Seq, r.Hash, r.Places = e.Seq, hex.EncodeToString(sum[:]), append(r.Places, index)
	return r
}

// numberForm is the form of report numbers: LS, year, count.
var numberForm = regexp.MustCompile(`^LS-(\d{4})-(\d{6,9})$`)

// maxMissing bounds the missing numbers that are kept of a year.
const maxMissing = 1000

// given notes a report number. Numbers that were passed over are missing until they come.
func (f *Follower) given(number string) {
	parts := numberForm.FindStringSubmatch(number)
	if parts == nil {
		return
	}
	of, _ := strconv.Atoi(parts[1]) // digits
	n, _ := strconv.Atoi(parts[2])
	y := f.state.Years[of]
	if y == nil {
		y = &year{}
		f.state.Years[of] = y
	}
	if i := slices.Index(y.Missing, n); i >= 0 {
		y.Missing = slices.Delete(y.Missing, i, i+1)
	}
	for ; y.Last < n; y.Last++ {
		if y.Last+1 < n && len(y.Missing) < maxMissing {
			y.Missing = append(y.Missing, y.Last+1)
		}
	}
}

// numbers raises an alarm for each report number that is missing.
func (f *Follower) numbers() {
	for of, y := range f.state.Years {
		for _, n := range y.Missing {
			f.alarm(Number, "LS-%d-%06d is missing, later numbers are in the log", of, n)
		}
	}
}

// answers raises an alarm for each report that nobody answered in time.
func (f *Follower) answers() {
	if f.o.AnswerDays <= 0 {
		return
	}
	before := f.o.Now().AddDate(0, 0, -f.o.AnswerDays)
	for number, r := range f.state.reports {
		if number != "" && !r.Answered && r.At.Before(before) {
			f.alarm(Answer, "%s of %s has no answer after %d days", number, r.At.Format(time.DateOnly), f.o.AnswerDays)
		}
	}
}

// Header is the first row of the table.
var Header = []string{"log_index", "ts", "report_number", "seq", "event", "changed_by", "issue_type", "status", "old_status", "severity", "municipality",
	"agency", "due_at", "latitude", "longitude"}

// row writes an entry to the table.
func (f *Follower) row(index int64, number string, e *event) error {
	if f.o.CSV == nil {
		return nil
	}
	counted := &counter{f.o.CSV, &f.state.CSVBytes}
	out := csv.NewWriter(counted)
	if f.state.CSVBytes == 0 {
		_ = out.Write(Header) // Flush has the error
	}
	_ = out.Write([]string{strconv.FormatInt(index, 10), e.Time, plain(number), strconv.Itoa(e.Seq), plain(e.Event), plain(e.ChangedBy.Kind), plain(e.IssueType),
		plain(e.Status), plain(e.OldStatus), plain(e.Severity), plain(e.Municipality), plain(e.Agency), plain(e.DueAt), e.Location.Lat.String(), e.Location.Lon.String()})
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// plain makes a text that no spreadsheet takes for a formula.
func plain(s string) string {
	if s != "" && slices.Contains([]byte("=+-@\t\r"), s[0]) {
		return "'" + s
	}
	return s
}

// Package open311 checks any server of Open311 GeoReport v2 against the text of the specification. The command is in conformance.
package open311

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Level says how binding a requirement is.
type Level string

// Levels of requirements.
const (
	Must   Level = "must"   // the specification demands it; a client breaks otherwise
	Should Level = "should" // the specification recommends it, or shows it in its examples
	Extra  Level = "extra"  // not in the specification; many clients use it
)

// Outcome says what a check found.
type Outcome string

// Outcomes of checks.
const (
	Pass     Outcome = "pass"
	Fail     Outcome = "fail"
	NotTried Outcome = "not tried"
)

// Requirement is one thing that a server has to do.
type Requirement struct {
	ID      string
	Section string // the heading in the specification
	Level   Level
	Text    string
	check   func(ctx context.Context, s *session) error
}

// Requirements returns all, in the order in which they are checked. Those on the answers as a whole come last, because they look at all
// answers that the others got.
func Requirements() []Requirement {
	var all []Requirement
	for _, list := range [][]Requirement{
		discoveryRequirements(), serviceRequirements(), definitionRequirements(), createRequirements(), requestRequirements(), filterRequirements(),
		singleRequirements(), tokenRequirements(), errorRequirements(), extraRequirements(), updateRequirements(), formatRequirements(),
	} {
		all = append(all, list...)
	}
	return all
}

// Options say which server is checked, and what may be sent to it.
type Options struct {
	// URL is the endpoint, such as https://city.example/open311/v2: what stands before /services.xml.
	URL string
	// Discovery is the address of the discovery document without its ending; URL + "/discovery" if empty.
	Discovery string
	// Jurisdiction is sent as jurisdiction_id with every request. Empty if the server serves one.
	Jurisdiction string
	// Write allows POST. It files a few reports on the server. It needs APIKey.
	Write  bool
	APIKey string
	// Service is the service_code of the reports that are filed; the first of the list if empty.
	Service string
	// Lat and Long are where reports are filed; the place of an existing request if empty.
	Lat, Long string
	// Address and AddressID are an address_string and an address_id that the server knows. Without them these forms are not tried.
	Address, AddressID string
	// MediaURL is the address of a picture. Without it media_url is not tried.
	MediaURL string
	// Pause is the time between two requests.
	Pause time.Duration
	// Timeout is the time for one request; 30 seconds if zero.
	Timeout time.Duration
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Run checks all requirements, one request at a time. It returns an error only for Options that cannot be used.
func Run(ctx context.Context, o Options) (Report, error) {
	s, err := newSession(o)
	if err != nil {
		return Report{}, err
	}
	report := Report{Server: s.client.base}
	for _, r := range Requirements() {
		report.Results = append(report.Results, r.result(r.check(ctx, s)))
	}
	report.Requests = s.client.sent
	return report, nil
}

func (r Requirement) result(err error) Result {
	out := Result{ID: r.ID, Section: r.Section, Level: r.Level, Text: r.Text, Outcome: Pass}
	var wrong deviation
	var skipped notTried
	switch {
	case err == nil:
	case errors.As(err, &wrong):
		out.Outcome, out.Request, out.Met, out.Expected = Fail, wrong.request, wrong.met, wrong.expected
	case errors.As(err, &skipped):
		out.Outcome, out.Why = NotTried, string(skipped)
	default:
		out.Outcome, out.Met, out.Expected = Fail, err.Error(), "an answer"
	}
	return out
}

// deviation is what a server does otherwise than a requirement says.
type deviation struct{ request, met, expected string }

func (d deviation) Error() string {
	return fmt.Sprintf("%s: met %s, expected %s", d.request, d.met, d.expected)
}

// notTried is why a requirement could not be checked.
type notTried string

func (n notTried) Error() string { return string(n) }

// session is one run: what is known of the server so far.
type session struct {
	client  *client
	options Options
	began   time.Time
	created []created
}

func newSession(o Options) (*session, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the address of the server must be an http or https address without a query, such as https://city.example/open311/v2")
	}
	if o.Write && o.APIKey == "" {
		return nil, errors.New("filing reports needs an API key")
	}
	if (o.Lat == "") != (o.Long == "") {
		return nil, errors.New("a place needs both latitude and longitude")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	base := strings.TrimRight(o.URL, "/")
	if o.Discovery == "" {
		o.Discovery = base + "/discovery"
	}
	transport := &http.Client{Timeout: o.Timeout, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		// The key in the body of a POST goes to no other address.
		if via[0].Method != http.MethodGet || len(via) > 5 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return &session{options: o, began: o.Now().UTC(), client: &client{http: transport, base: base, pause: o.Pause, jurisdiction: o.Jurisdiction}}, nil
}

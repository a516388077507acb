package public

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/weblink"
)

const (
	mediaAtom = "application/atom+xml; charset=utf-8"
	// feedSize is how many reports the feed has.
	feedSize = 50
)

func (p *Public) registerFeed(a *httpapi.API) {
	op := read("/api/v1/public/feed.atom", "Feed of reports", "Atom (RFC 4287) of the newest 50 reports with a verdict, with the filters of /public/reports. "+
		"Each entry has its place (GeoRSS), type, status, page and picture. Words that are hidden are left out. Feeds with other filters or another lang are other feeds: "+
		"each has an id of its own. The ETag changes with the content alone.")
	content(&op, "The feed", "application/atom+xml")
	httpapi.Register(a, op, p.feed)
}

type feedInput struct {
	reportread.Filters
	Lang  string `query:"lang" maxLength:"40" doc:"Language of title and labels: tet, pt or en; else that of Accept-Language, which most feed readers do not send" example:"tet"`
	query url.Values
	sent  string // the query as it stands in the address
}

// Resolve implements huma.Resolver.
func (in *feedInput) Resolve(hc huma.Context) []error {
	u := hc.URL()
	in.sent, in.query = u.RawQuery, u.Query()
	return nil
}

type feedOutput struct {
	ContentType     string `header:"Content-Type"`
	ContentLanguage string `header:"Content-Language"`
	Body            []byte
}

// atomFeed and atomEntry are elements of RFC 4287. encoding/xml escapes every text, and replaces characters that XML does not have.
type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	GeoRSS   string      `xml:"xmlns:georss,attr"`
	Language string      `xml:"xml:lang,attr"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Updated  string      `xml:"updated"`
	Author   atomAuthor  `xml:"author"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomEntry struct {
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Published  string         `xml:"published"`
	Updated    string         `xml:"updated"`
	Categories []atomCategory `xml:"category"`
	Links      []atomLink     `xml:"link"`
	Summary    string         `xml:"summary,omitempty"`
	Point      string         `xml:"georss:point"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr"`
	Label  string `xml:"label,attr"`
}

func (p *Public) feed(ctx context.Context, in *feedInput) (*feedOutput, error) {
	if l, ok := locale.Parse(strings.ToLower(in.Lang)); ok {
		ctx = locale.WithLanguage(ctx, l)
	}
	q := reportread.Query{Query: page.Query{Page: 1, Size: feedSize}, Filters: in.Filters, Sort: "created_at", Order: "desc"}
	found, err := p.reader.List(ctx, reportread.Public(), q, reportread.Where("r.status <> 'pending'"))
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(found.Items))
	for i, s := range found.Items {
		ids[i] = s.ID
	}
	details, err := p.reader.Details(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	base, lang := p.weblinks.Or(httpapi.Origin(ctx)), string(locale.FromContext(ctx))
	out := in.frame(base)
	out.GeoRSS, out.Language, out.Title, out.Author = "http://www.georss.org/georss", lang, locale.TextFor(ctx, "page.feed_title"), atomAuthor{"LafaekStreet"}
	for _, s := range found.Items {
		out.Entries = append(out.Entries, entryOf(ctx, base, s, details[s.ID].Picture))
		out.Updated = max(out.Updated, s.UpdatedAt.String())
	}
	body, err := xml.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode feed: %w", err)
	}
	return &feedOutput{mediaAtom, lang, append([]byte(xml.Header), body...)}, nil
}

// frame is a feed without entries. Its id is the address with the parameters that have a value, in the order of their names: it is
// the same for every way to write them. Without entries a feed was updated in 1970: a later time would change without content.
func (in *feedInput) frame(base weblink.Base) atomFeed {
	address, set, onMap := base.String()+"/api/v1/public/feed.atom", url.Values{}, url.Values{}
	for name, values := range in.query {
		if values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" }); len(values) == 0 {
			continue
		}
		set[name] = values
		if slices.Contains(mapParameters, name) {
			onMap[name] = values
		}
	}
	return atomFeed{ID: withQuery(address, set.Encode()), Updated: time.Unix(0, 0).UTC().Format(time.RFC3339), Links: []atomLink{
		{Rel: "self", Type: "application/atom+xml", Href: withQuery(address, in.asSent())},
		{Rel: "alternate", Type: "text/html", Href: withQuery(base.String()+"/map", onMap.Encode())},
	}}
}

// mapParameters are what the page /map takes of the parameters of a feed.
var mapParameters = []string{"q", "status", "issue_type", "municipality", "date_from", "date_to", "bbox", "lang"}

func withQuery(address, query string) string {
	if query == "" {
		return address
	}
	return address + "?" + query
}

// ofAddress matches a query without characters that no address has (RFC 3986).
var ofAddress = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$`)
})

// asSent is the query of the request as it was sent, or encoded again if it has characters that no address has.
func (in *feedInput) asSent() string {
	if ofAddress().MatchString(in.sent) {
		return in.sent
	}
	return in.query.Encode()
}

// entryOf returns the Atom entry of a report. picture is the report's first picture, nil if it has none. The id of the entry is the
// id of the report and never changes.
func entryOf(ctx context.Context, base weblink.Base, s reportread.Summary, picture *uuid.UUID) atomEntry {
	typed, status := s.IssueType.Label(locale.FromContext(ctx)), locale.TextFor(ctx, "label.status."+string(s.Status))
	e := atomEntry{ID: "urn:uuid:" + s.ID.String(), Title: s.Title, Published: s.CreatedAt.String(), Updated: s.UpdatedAt.String(), Summary: s.Description,
		Categories: []atomCategory{{string(s.IssueType), base.String() + "/api/v1/meta#issue_type", typed}, {string(s.Status), base.String() + "/api/v1/meta#status", status}},
		Links:      []atomLink{{Rel: "alternate", Type: "text/html", Href: base.Report(s.ReportNumber)}},
		Point:      strconv.FormatFloat(s.Latitude, 'f', -1, 64) + " " + strconv.FormatFloat(s.Longitude, 'f', -1, 64)}
	if e.Title == "" {
		e.Title = typed
	}
	if picture != nil {
		e.Links = append(e.Links, atomLink{Rel: "enclosure", Type: "image/jpeg", Href: base.Picture(s.ReportNumber, *picture, "display")})
	}
	return e
}

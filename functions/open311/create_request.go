package open311

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/geocoding"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Most characters of texts, most bytes of an address.
const (
	maxDescription = 4000 // of the specification
	maxTitle       = 150
	maxName        = 100
	maxAddress     = 300
	maxID          = 255
	maxURL         = 2000
)

// createRequest is a checked request for a new report.
type createRequest struct {
	reportcreate.Input
	// placed is false while the place of address_string is to be looked up.
	placed bool
	files  []upload.File
	urls   []string // of pictures
}

// readCreate checks a request for a new report. Its pictures are the first most; others are named in the warnings.
func readCreate(f form, area report.Area, most int, w *warning.Collector) (createRequest, error) {
	r := &formReader{form: f, warnings: w}
	code := r.one("service_code")
	kind, ok := serviceOf(code)
	if code != "" && !ok {
		return createRequest{}, notFound("service_code", "there is no such service")
	}
	if code == "" {
		r.fault(problem.InvalidField("service_code", "required"))
	}
	out := createRequest{Input: reportcreate.Input{IssueType: kind, Source: report.SourceOpen311, Description: r.one("description")}}
	if utf8.RuneCountInString(out.Description) > maxDescription {
		r.fault(problem.InvalidField("description", "at most 4,000 characters"))
	}
	r.place(&out, area)
	contact := r.contact()
	r.attributes(&out.Input, contact)
	out.Contact = known(contact)
	r.pictures(&out, most)
	if len(r.faults) > 0 {
		return createRequest{}, &problem.Error{Kind: problem.Invalid, Code: "invalid_input", Fields: r.faults}
	}
	return out, nil
}

// place reads where the problem is. An address beside lat and long is kept as text.
func (r *formReader) place(out *createRequest, area report.Area) {
	before := len(r.faults)
	latitude, hasLatitude := r.number("lat")
	longitude, hasLongitude := r.number("long")
	unreadable := len(r.faults) > before
	address := r.cut("address_string", maxAddress)
	out.Address.Address = address
	switch {
	case unreadable: // one fault is enough
	case hasLatitude != hasLongitude:
		r.fault(problem.InvalidField("lat", "send lat and long together"))
	case hasLatitude:
		out.Latitude, out.Longitude, out.placed = latitude, longitude, true
		if !report.ValidPoint(latitude, longitude) || !area.Has(latitude, longitude) {
			r.fault(problem.InvalidField("lat", "outside the area of this service"))
			r.fault(problem.InvalidField("long", "outside the area of this service"))
		}
		if r.one("address_id") != "" {
			r.warnings.Add("address_id", warning.NotTaken)
		}
	case address != nil:
	case r.one("address_id") != "":
		r.fault(problem.InvalidField("address_id", "this server has no ids of addresses: send lat and long, or address_string"))
	default:
		r.fault(problem.InvalidField("lat", "required: lat and long, or address_string"))
	}
}

var phoneNumber = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{2,30}$`)
})

// contact reads the person that the other system names. What cannot be read is left out with a warning: it costs no report.
func (r *formReader) contact() *reportcreate.Contact {
	c := &reportcreate.Contact{DeviceID: r.cut("device_id", maxID), AccountID: r.cut("account_id", maxID)}
	if name := strings.TrimSpace(r.one("first_name") + " " + r.one("last_name")); name != "" {
		if utf8.RuneCountInString(name) > maxName {
			name = string([]rune(name)[:maxName])
			r.warnings.Add("first_name", warning.Cut)
		}
		c.Name = &name
	}
	if phone := r.one("phone"); phoneNumber().MatchString(phone) {
		c.Phone = &phone
	} else if phone != "" {
		r.warnings.Add("phone", warning.Unreadable)
	}
	if given := r.one("email"); given != "" {
		if address, ok := mail.ParseAddress(given); ok {
			c.Email = &address
		} else {
			r.warnings.Add("email", warning.Unreadable)
		}
	}
	return c
}

// known is a contact, or nil where nothing is known of the person.
func known(c *reportcreate.Contact) *reportcreate.Contact {
	if *c == (reportcreate.Contact{}) {
		return nil
	}
	return c
}

// pictures reads the pictures of the form and the addresses of others.
func (r *formReader) pictures(out *createRequest, most int) {
	if len(r.all("media")) > 0 {
		r.fault(problem.InvalidField("media", "expected a file: JPEG, PNG or WebP"))
	}
	out.files = r.files
	if len(out.files) > most {
		out.files = out.files[:most]
		r.warnings.Add("media", warning.ImageLimit)
	}
	for _, address := range r.all("media_url") {
		u, ok := pictureURL(address)
		switch {
		case !ok:
			r.fault(problem.InvalidField("media_url", "expected an http or https address of at most 2,000 characters"))
		case len(out.files)+len(out.urls) == most:
			r.warnings.Add("media_url", warning.ImageLimit)
		default:
			out.urls = append(out.urls, u)
		}
	}
}

// pictureURL is an address as a browser would call it: without a fragment, and with each character escaped that has to be. It is false
// for one that nobody can call.
func pictureURL(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || n == 0) {
		return "", false
	}
	u.Fragment, u.RawFragment = "", ""
	address = u.String()
	return address, len(address) <= maxURL
}

// hash is what a repeat has in common with its report: type, words, place to 5 decimals (about a metre) and pictures. It is stored with the
// report, so its members and their order stay as they are.
func (c createRequest) hash() [sha256.Size]byte {
	var files [][sha256.Size]byte
	for _, f := range c.files {
		files = append(files, sha256.Sum256(f.Bytes))
	}
	raw, _ := json.Marshal([]any{c.IssueType, c.Title, c.Description, math.Round(c.Latitude * 1e5), math.Round(c.Longitude * 1e5), files, c.urls})
	return sha256.Sum256(raw)
}

// locate looks up the place of address_string, where the request has no other.
func (g *Group) locate(ctx context.Context, c *createRequest, area report.Area) error {
	if c.placed {
		return nil
	}
	found, err := geocoding.Named(ctx, g.db, *c.Address.Address)
	if err != nil {
		return err
	}
	switch {
	case len(found) == 0:
		return problem.InvalidField("address_string", "no place of this name is known: send lat and long")
	case len(found) > 1:
		return problem.InvalidField("address_string", "several places have this name: send lat and long")
	case !area.Has(found[0].Latitude, found[0].Longitude):
		return problem.InvalidField("address_string", "outside the area of this service")
	}
	c.Latitude, c.Longitude, c.placed = found[0].Latitude, found[0].Longitude, true
	return nil
}

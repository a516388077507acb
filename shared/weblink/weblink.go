// Package weblink makes the links to this backend that people follow: in mails, in push messages, in answers.
package weblink

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Config is the configuration of Base.
type Config struct {
	// PublicBaseURL is where people reach this backend, without a slash at its end. It may be empty.
	PublicBaseURL string `env:"PUBLIC_BASE_URL"`
}

// Base begins each link: a scheme with a host, or nothing. The zero Base makes relative links, such as /r/LS-2026-000001.
type Base struct {
	url string
}

// New reads the configuration.
func New(c Config) (Base, error) {
	base := strings.TrimSuffix(c.PublicBaseURL, "/")
	u, err := url.Parse(base)
	if base != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		return Base{}, errors.New("PUBLIC_BASE_URL is not an http or https address")
	}
	return Base{base}, nil
}

// Or returns b, or where b is relative, the base with origin (httpapi.Origin). For the answers of HTTP functions.
func (b Base) Or(origin string) Base {
	if b.url != "" {
		return b
	}
	return Base{origin}
}

// Absolute reports whether the links name a host. A mail has no links otherwise: a relative one leads nowhere.
func (b Base) Absolute() bool { return b.url != "" }

// String is the base itself, without a slash at its end.
func (b Base) String() string { return b.url }

// Report is the page of a report.
func (b Base) Report(number string) string { return b.url + "/r/" + url.PathEscape(number) }

// Picture is the address of a published picture that lasts. rendition is "display" or "thumbnail".
func (b Base) Picture(number string, image uuid.UUID, rendition string) string {
	return b.url + "/api/v1/public/reports/" + url.PathEscape(number) + "/images/" + image.String() + "/" + rendition
}

// Me is the page of a person: their reports, appeals and preferences.
func (b Base) Me() string { return b.url + "/me" }

// Desk is the page of staff.
func (b Base) Desk() string { return b.url + "/desk" }

// DeskReport is the page of staff with a report open.
func (b Base) DeskReport(number string) string {
	return b.url + "/desk?report=" + url.QueryEscape(number)
}

// Map is the map at a place, in degrees WGS 84.
func (b Base) Map(latitude, longitude float64) string {
	degrees := func(d float64) string { return strconv.FormatFloat(d, 'f', 5, 64) }
	return b.url + "/map#16/" + degrees(latitude) + "/" + degrees(longitude)
}

// Unsubscribe is the page that ends mails of a kind.
func (b Base) Unsubscribe(token string) string {
	return b.url + "/unsubscribe/" + url.PathEscape(token)
}

// Welcome is the page on which an invited person chooses a password.
func (b Base) Welcome(token string) string { return b.url + "/welcome?token=" + url.QueryEscape(token) }

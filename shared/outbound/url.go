package outbound

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxURL is the most bytes of a URL.
const MaxURL = 2048

// What is wrong with a URL.
var (
	ErrLong      = errors.New("the URL is longer than 2048 bytes")
	ErrMalformed = errors.New("the URL is malformed")
	ErrScheme    = errors.New("the URL must begin with https://")
	ErrPort      = errors.New("the port must be 80 or 443")
	ErrUserInfo  = errors.New("the URL must not contain a user name or password")
)

// CheckURL reports what is wrong with a URL; nil when it can be called. It must be absolute, with https, without user name, password
// and fragment; for ForFiles see there. A host that is an IP address must be public. It looks no name up.
func (c *Client) CheckURL(text string) error {
	if len(text) > MaxURL {
		return ErrLong
	}
	u, err := url.Parse(text)
	if err != nil || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ErrMalformed
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !c.private && !c.files):
		return ErrScheme
	case u.User != nil:
		return ErrUserInfo
	case u.Opaque != "" || u.Fragment != "" || u.Hostname() == "" || !validPort(u.Port()) || strings.HasSuffix(u.Host, ":"):
		return ErrMalformed
	case c.files && !c.private && u.Port() != "" && u.Port() != "80" && u.Port() != "443":
		return ErrPort
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return c.allows(a)
	}
	return nil
}

// validPort reports whether a port can be connected to; "" is the port of the scheme.
func validPort(p string) bool {
	if p == "" {
		return true
	}
	n, err := strconv.ParseUint(p, 10, 16)
	return err == nil && n > 0
}

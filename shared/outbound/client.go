// Package outbound calls addresses that people outside of this system name: receivers of webhooks, and pictures to fetch. It
// connects to public addresses alone, so that nobody can reach this system's own network through it.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"code.dny.dev/ssrf"
)

// Config configures a Client.
type Config struct {
	// PrivateAddresses also allows loopback and private IPv4 addresses, the loopback address of IPv6, and http. It is for one
	// machine with receivers of its own. Link-local addresses, and the metadata services among them, are refused all the same.
	PrivateAddresses bool `env:"WEBHOOK_PRIVATE_ADDRESSES"`
}

// Limits of every call.
const (
	connectTimeout = 5 * time.Second
	// maxHeaders is the most bytes of an answer's headers.
	maxHeaders = 64 << 10
)

// Client makes HTTP calls to public addresses. It follows no redirect, uses no proxy, keeps no connection and decompresses no
// answer. It is safe for concurrent use.
type Client struct {
	http     *http.Client
	guard    *ssrf.Guardian
	resolver *net.Resolver
	private  bool
	files    bool
}

// Option changes a Client.
type Option func(*Client)

// WithResolver looks names up through r instead of the system's resolver.
func WithResolver(r *net.Resolver) Option { return func(c *Client) { c.resolver = r } }

// ForFiles is for files that are public where they are: http is allowed beside https, and only their ports, 80 and 443. With
// Config.PrivateAddresses every port is allowed.
func ForFiles() Option { return func(c *Client) { c.files = true } }

// New returns a client whose calls take at most timeout, from the lookup of the name to the end of the answer.
func New(cfg Config, timeout time.Duration, opts ...Option) *Client {
	c := &Client{guard: newGuard(cfg.PrivateAddresses), private: cfg.PrivateAddresses, resolver: net.DefaultResolver}
	for _, opt := range opts {
		opt(c)
	}
	// The guard sees each address just before the connection to it, whatever an earlier lookup of the name has answered.
	dialer := &net.Dialer{Timeout: connectTimeout, Control: c.guard.Safe, Resolver: c.resolver}
	c.http = &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    connectTimeout,
			MaxResponseHeaderBytes: maxHeaders,
			DisableKeepAlives:      true,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// newGuard refuses every address of IANA's registries of special purpose, multicast, and all of IPv6 that is not global unicast:
// also the forms of IPv6 that contain an IPv4 address.
func newGuard(private bool) *ssrf.Guardian {
	opts := []ssrf.Option{ssrf.WithAnyPort()}
	if private {
		opts = append(opts, ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128")), ssrf.WithAllowedV4Prefixes(
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"),
			netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")))
	}
	return ssrf.New(opts...)
}

// Answer is what a server answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Whole  bool // Body has all of the body; otherwise its first bytes
}

// Do makes a call and reads at most maxBody bytes of the answer's body. Every status is an answer, a redirect too. The error of a
// call without an answer is one of this package, or wraps one; see Fault. If the answer ends early, Do returns it beside the error.
func (c *Client) Do(req *http.Request, maxBody int64) (Answer, error) {
	if err := c.CheckURL(req.URL.String()); err != nil {
		return Answer{}, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return Answer{}, fault(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	answer := Answer{Status: res.StatusCode, Header: res.Header, Body: body[:min(int64(len(body)), maxBody)], Whole: err == nil && int64(len(body)) <= maxBody}
	if err != nil {
		return answer, fault(err)
	}
	return answer, nil
}

// CheckHost resolves the host of a URL that CheckURL accepts, and returns ErrNotPublic if one of its addresses is refused now. A
// name without an answer is no error: the check at each connection decides.
func (c *Client) CheckHost(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addresses, err := c.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil //nolint:nilerr // it may have an answer when it is called
	}
	for _, a := range addresses {
		if err := c.allows(a); err != nil {
			return err
		}
	}
	return nil
}

// lookupTimeout is the longest that CheckHost takes.
const lookupTimeout = 2 * time.Second

// allows reports whether the guard lets a connection to the address pass.
func (c *Client) allows(a netip.Addr) error {
	a, network := a.Unmap(), "tcp6"
	if a.Is4() {
		network = "tcp4"
	}
	if err := c.guard.Safe(network, netip.AddrPortFrom(a, 443).String(), nil); err != nil {
		return ErrNotPublic
	}
	return nil
}

// The faults of a call. Their texts are shown to administrators.
var (
	ErrNotPublic = errors.New("the address is not public")
	ErrTimeout   = errors.New("no answer in time")
	ErrLookup    = errors.New("the name has no address")
	ErrTLS       = errors.New("the certificate or the TLS connection failed")
	ErrConnect   = errors.New("the connection failed")
)

// fault returns the fault that err is. The text of err is left out, because it can name addresses of this system's network.
func fault(err error) error {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		timeout     interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return ErrNotPublic
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", ErrConnect, context.Canceled)
	case errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.As(err, &dns):
		return ErrLookup
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return ErrTLS
	}
	return ErrConnect
}

// Package smtp stands in for a mail server. It sends no mail on: it keeps every mail it accepts, for the console and for
// tests to read.
package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/mhale/smtpd"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/journal"
	"github.com/lafaekstreet/backend/infra/local/loopback"
)

const (
	maxBytes      = 10 << 20
	maxRecipients = 50 // Amazon SES's limit
	// maxMails is how many mails are kept. The oldest are dropped first.
	maxMails = 5000
	// maxHold is how long faults.Timeout leaves a client without an answer.
	maxHold = 5 * time.Minute
)

// Mail is one accepted mail.
type Mail struct {
	ID string `json:"id"`
	// To and From are the recipients and the sender of the envelope.
	To      []string  `json:"to"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	At      time.Time `json:"at"`
	// Headers are the headers of the mail by their canonical name.
	Headers map[string][]string `json:"headers"`
	// TLS is true if the mail came over an encrypted connection.
	TLS bool `json:"tls,omitempty"`
}

// Options configures Start.
type Options struct {
	// Addr is where to listen; empty is a free loopback port.
	Addr string
	// Dir keeps the mails across restarts; empty keeps them in memory.
	Dir    string
	Faults *faults.Set
	// TLS offers STARTTLS with a self-signed certificate, which Pool trusts, and refuses mails sent without encryption.
	TLS bool
	// Username and Password are what clients must sign in with; empty: no sign-in is needed.
	Username, Password string
	// Now tells the time of arrival; nil is the system's clock.
	Now func() time.Time
}

// Server is a running mail server. It refuses recipients whose address begins with "bounce" with 550, as a real server
// refuses mailboxes that do not exist.
type Server struct {
	opts     Options
	listener net.Listener
	smtp     *smtpd.Server
	pool     *x509.CertPool
	done     chan struct{}
	closing  sync.Once

	mu      sync.Mutex
	mails   []Mail // oldest first
	changed chan struct{}
	conns   map[string]net.Conn // by remote address
	journal *journal.Journal
}

// Start serves until Close. The port answers when it returns.
func Start(opts Options) (*Server, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, done: make(chan struct{}), changed: make(chan struct{}), conns: map[string]net.Conn{}}
	if err := s.openJournal(); err != nil {
		return nil, err
	}
	s.smtp = &smtpd.Server{
		Appname: "local-stand-in", Hostname: "localhost", DisableReverseDNS: true, MaxSize: maxBytes, MaxRecipients: maxRecipients, Timeout: time.Minute,
		Handler:     s.accept,
		HandlerRcpt: func(_ net.Addr, _, to string) bool { return !strings.HasPrefix(strings.ToLower(to), "bounce") },
	}
	if opts.Username != "" {
		s.smtp.AuthRequired = true
		s.smtp.AuthHandler = func(_ net.Addr, _ string, user, password, _ []byte) (bool, error) {
			return string(user) == opts.Username && string(password) == opts.Password, nil
		}
		s.smtp.AuthMechs = map[string]bool{"PLAIN": true, "LOGIN": true, "CRAM-MD5": false}
	}
	if opts.TLS {
		certificate, pool, err := selfSigned(opts.Now())
		if err != nil {
			return nil, err
		}
		s.pool, s.smtp.TLSRequired = pool, true
		s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	listener, err := loopback.Listen(opts.Addr)
	if err != nil {
		return nil, err
	}
	s.listener = listener
	go func() {
		defer close(s.done)
		_ = s.smtp.Serve(&trackingListener{Listener: listener, server: s})
	}()
	return s, nil
}

// openJournal reads the mails that an earlier run kept.
func (s *Server) openJournal() error {
	path := ""
	if s.opts.Dir != "" {
		path = filepath.Join(s.opts.Dir, "mails.jsonl")
	}
	var err error
	s.journal, err = journal.Open(path, func(line []byte) error {
		var m Mail
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		s.mails = append(s.mails, m)
		return nil
	})
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	if len(s.mails) > maxMails {
		s.mails = slices.Clone(s.mails[len(s.mails)-maxMails:])
		records := make([]any, len(s.mails))
		for i, m := range s.mails {
			records[i] = m
		}
		return s.journal.Rewrite(records)
	}
	return nil
}

// Addr is the host and port, such as "127.0.0.1:1025".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is Addr as "smtp://127.0.0.1:1025".
func (s *Server) URL() string { return "smtp://" + s.Addr() }

// Pool trusts the server's certificate; nil without Options.TLS.
func (s *Server) Pool() *x509.CertPool { return s.pool }

// Close stops serving and closes the open connections.
func (s *Server) Close() error {
	var err error
	s.closing.Do(func() {
		err = errors.Join(s.smtp.Close(), s.listener.Close())
		s.mu.Lock()
		for _, c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		<-s.done
		err = errors.Join(err, s.journal.Close())
	})
	return err
}

// accept keeps a mail, or fails as the next fault says. The client gets its answer after accept has returned.
func (s *Server) accept(remote net.Addr, from string, to []string, data []byte) error {
	mode, _ := s.opts.Faults.Take("smtp", "DATA")
	switch mode {
	case faults.Error:
		return errors.New("451 4.3.0 Temporary service failure")
	case faults.Throttle:
		return errors.New("454 4.7.0 Throttling failure: Maximum sending rate exceeded")
	case faults.Malformed:
		s.hangUp(remote, "\x00\x01nonsense\r\n")
		return errors.New("451 4.3.0 closed")
	case faults.Timeout:
		select {
		case <-s.done:
		case <-time.After(maxHold):
		}
		return errors.New("421 4.4.2 Timeout")
	}
	m := parse(data)
	m.ID, m.To, m.From, m.At = uuid.NewString(), to, from, s.opts.Now().UTC()
	m.TLS = s.opts.TLS
	if err := s.keep(m); err != nil {
		return errors.New("452 4.3.1 Insufficient system storage")
	}
	if mode == faults.DropReply {
		s.hangUp(remote, "")
	}
	return nil
}

func (s *Server) keep(m Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.Append(m); err != nil {
		return err
	}
	if s.mails = append(s.mails, m); len(s.mails) > maxMails {
		s.mails = slices.Delete(s.mails, 0, len(s.mails)-maxMails)
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// hangUp writes lastBytes to the connection of a client and closes it.
func (s *Server) hangUp(remote net.Addr, lastBytes string) {
	s.mu.Lock()
	conn := s.conns[remote.String()]
	s.mu.Unlock()
	if conn != nil {
		_, _ = conn.Write([]byte(lastBytes))
		_ = conn.Close()
	}
}

// Mails returns the mails to an address, newest first. An empty address means all. Letter case is ignored.
func (s *Server) Mails(to string) []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.matching(to)
}

func (s *Server) matching(to string) []Mail {
	out := []Mail{}
	for _, m := range slices.Backward(s.mails) {
		if to == "" || slices.ContainsFunc(m.To, func(a string) bool { return strings.EqualFold(a, to) }) {
			out = append(out, m)
		}
	}
	return out
}

// Await returns the newest mail to an address for which want is true; a nil want accepts any mail. It waits until there is
// one or ctx ends.
func (s *Server) Await(ctx context.Context, to string, want func(Mail) bool) (Mail, error) {
	for {
		s.mu.Lock()
		mails, changed := s.matching(to), s.changed
		s.mu.Unlock()
		for _, m := range mails {
			if want == nil || want(m) {
				return m, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Mail{}, fmt.Errorf("smtp: none of the %d mails to %s is the expected one: %w", len(mails), to, ctx.Err())
		}
	}
}

// trackingListener remembers the open connections, so that hangUp and Close find them.
type trackingListener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (t *trackingListener) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t.server.mu.Lock()
	t.server.conns[conn.RemoteAddr().String()] = conn
	t.server.mu.Unlock()
	return &trackedConn{Conn: conn, server: t.server}, nil
}

type trackedConn struct {
	net.Conn
	server *Server
}

// Close implements net.Conn.
func (t *trackedConn) Close() error {
	t.server.mu.Lock()
	delete(t.server.conns, t.RemoteAddr().String())
	t.server.mu.Unlock()
	return t.Conn.Close()
}

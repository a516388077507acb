package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// MailConfig is how mail leaves.
type MailConfig struct {
	// URL names the server: smtps://user:password@host:465 speaks TLS from the
	// start, smtp://…:587 demands STARTTLS. Only a loopback address may go without.
	URL string `env:"SMTP_URL,required,notEmpty"`
	// From is who it is from.
	From string `env:"MAIL_FROM" envDefault:"LafaekStreet <no-reply@lafaekstreet.com>"`
	// Timeout bounds a whole conversation.
	Timeout time.Duration `env:"SMTP_TIMEOUT" envDefault:"15s"`
}

// SMTP sends by a mail server.
type SMTP struct {
	host    string
	options []gomail.Option
	from    string
	timeout time.Duration
}

// NewSMTP reads the configuration; it connects with the first mail.
func NewSMTP(c MailConfig) (*SMTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL is not smtp://host:port or smtps://host:port")
	}
	if err := gomail.NewMsg().From(c.From); err != nil {
		return nil, errors.New("MAIL_FROM is no address")
	}
	s := &SMTP{host: u.Hostname(), from: c.From, timeout: c.Timeout, options: []gomail.Option{gomail.WithTimeout(c.Timeout)}}
	switch {
	case u.Scheme == "smtps":
		s.options = append(s.options, gomail.WithSSL(), gomail.WithPort(465))
	case loopback(u.Hostname()):
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithPort(25))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithPort(587))
	}
	s.options = append(s.options, gomail.WithTLSConfig(&tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}))
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, errors.New("SMTP_URL has no valid port")
		}
		s.options = append(s.options, gomail.WithPort(n))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return s, nil
}

// loopback reports an address that never leaves the machine; a name does not count, as it may resolve anywhere.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Send implements Mailer.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return &Failure{Kind: Refused, Code: "address"}
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.Key + "@lafaekstreet.com")
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", string(m.Language))
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return &Failure{Kind: Delayed, Code: "configuration"}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() { // what comes after the server's yes does not matter
		return nil
	}
	return smtpFailure(err)
}

// smtpFailure never quotes the error itself: it names the recipient.
func smtpFailure(err error) *Failure {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return &Failure{Kind: Delayed, Code: "connection"} // no mail had been offered yet
	}
	code := fmt.Sprintf("smtp %d", e.ErrorCode())
	switch {
	case e.ErrorCode() >= 500:
		return &Failure{Kind: Refused, Code: code}
	case e.ErrorCode() >= 400:
		return &Failure{Kind: Delayed, Code: code}
	case e.Reason == gomail.ErrSMTPDataClose || e.Reason == gomail.ErrWriteContent || e.Reason == gomail.ErrAmbiguous:
		return &Failure{Kind: Unknown, Code: "reply lost"}
	}
	return &Failure{Kind: Delayed, Code: "connection lost"}
}

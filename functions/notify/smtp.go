package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// MailConfig is how mail is sent.
type MailConfig struct {
	// URL is the mail server: smtps://user:password@host:465 uses TLS from the start,
	// smtp://…:587 requires STARTTLS. Only a loopback address may work without TLS. User name and password may be
	// percent-encoded. Only a colon in the user name and a "%" that two hexadecimal digits follow must be.
	URL string `env:"SMTP_URL,required,notEmpty"`
	// From is the sender.
	From string `env:"MAIL_FROM" envDefault:"LafaekStreet <no-reply@lafaekstreet.com>"`
	// ReplyTo is where answers of readers go; empty: to nobody, since From is not read.
	ReplyTo string `env:"MAIL_REPLY_TO"`
	// Timeout is for one mail, from connecting to the server's last reply.
	Timeout time.Duration `env:"SMTP_TIMEOUT" envDefault:"15s"`
}

// SMTP sends by a mail server.
type SMTP struct {
	host    string
	options []gomail.Option
	from    string
	replyTo string
	timeout time.Duration
}

// NewSMTP reads the configuration. It connects when a mail is sent.
func NewSMTP(c MailConfig) (*SMTP, error) {
	u, err := parseServer(c.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL is not smtp://user:password@host:port or smtps://user:password@host:port")
	}
	if err := gomail.NewMsg().From(c.From); err != nil {
		return nil, errors.New("MAIL_FROM is not an address")
	}
	if c.ReplyTo != "" && gomail.NewMsg().ReplyTo(c.ReplyTo) != nil {
		return nil, errors.New("MAIL_REPLY_TO is not an address")
	}
	s := &SMTP{host: u.Hostname(), from: c.From, replyTo: c.ReplyTo, timeout: c.Timeout, options: []gomail.Option{gomail.WithTimeout(c.Timeout)}}
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

// parseServer reads an URL whose user name and password need not be percent-encoded, as an URL's must be: the passwords of SES
// contain "/".
func parseServer(raw string) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	at := strings.LastIndexByte(rest, '@')
	u, err := url.Parse(scheme + "://" + rest[at+1:])
	if err != nil || at < 0 {
		return u, err
	}
	name, password, _ := strings.Cut(rest[:at], ":")
	u.User = url.UserPassword(decode(name), decode(password))
	return u, nil
}

// decode decodes percent-encoding; a text that is not encoded stays as it is.
func decode(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// loopback reports whether host is a loopback IP address. It is false for every host name, because a name may resolve to
// any address.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Send implements Mailer. The server accepts a mail when it reads its last line, a
// single dot; ready is called before that line is sent.
func (s *SMTP) Send(ctx context.Context, m Mail, ready handOver) error {
	msg, err := s.message(m)
	if err != nil {
		return &Failure{Kind: Refused, Code: "address"}
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return &Failure{Kind: Delayed, Code: "configuration"}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &Failure{Kind: Delayed, Code: "connection"}
	}
	body, err := sendData(conn, msg)
	if err == nil {
		err = ready(ctx)
	}
	if err != nil {
		_ = conn.Close() // not Quit: it would first send the last line, and with it the mail
		return smtpFailure(err, Delayed)
	}
	if err := body.Close(); err != nil {
		_ = conn.Close()
		return smtpFailure(err, Unknown)
	}
	_ = conn.Quit() // the server has accepted the mail; an error here changes nothing
	return nil
}

func (s *SMTP) message(m Mail) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.Key + "@lafaekstreet.com")
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", string(m.Language))
	if s.replyTo != "" {
		if err := msg.ReplyTo(s.replyTo); err != nil {
			return nil, err
		}
	}
	if m.Stop != "" { // RFC 2369 and 8058. It is folded, not encoded: an address has no word that may be.
		msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+m.Stop+">")
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

// sendData sends msg without its last line. Close of the result sends the last line.
func sendData(conn *smtp.Client, msg *gomail.Msg) (io.WriteCloser, error) {
	from, err := msg.GetSender(false)
	if err != nil {
		return nil, err
	}
	to, err := msg.GetRecipients()
	if err != nil {
		return nil, err
	}
	if err := conn.Mail(from); err != nil {
		return nil, err
	}
	for _, recipient := range to {
		if err := conn.Rcpt(recipient); err != nil {
			return nil, recipientError{err}
		}
	}
	body, err := conn.Data()
	if err != nil {
		return nil, err
	}
	if _, err := msg.WriteTo(body); err != nil {
		return nil, err
	}
	return body, nil
}

// recipientError is the server's answer to a recipient.
type recipientError struct{ error }

// Unwrap gives the answer.
func (r recipientError) Unwrap() error { return r.error }

// noMailbox reports whether the server refused a recipient because the mailbox does not exist (RFC 5321, 4.2.3). A status 5.7.x
// (RFC 3463) means something else: the server accepts no mail from us.
func noMailbox(err error, answer *textproto.Error) bool {
	var recipient recipientError
	return errors.As(err, &recipient) && slices.Contains([]int{550, 551, 553}, answer.Code) && !strings.HasPrefix(answer.Msg, "5.7.")
}

// smtpFailure decides by the server's reply code; without a reply the kind is
// withoutReply. It never keeps the error's text, which may name the recipient.
func smtpFailure(err error, withoutReply FailureKind) *Failure {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return &Failure{Kind: withoutReply, Code: "connection lost"}
	}
	code := fmt.Sprintf("smtp %d", answer.Code)
	if noMailbox(err, answer) {
		return &Failure{Kind: Gone, Code: code}
	}
	if answer.Code >= 500 {
		return &Failure{Kind: Refused, Code: code}
	}
	return &Failure{Kind: Delayed, Code: code}
}

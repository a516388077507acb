package smtp_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/smtp"
)

func start(t *testing.T, opts smtp.Options) *smtp.Server {
	t.Helper()
	s, err := smtp.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func send(t *testing.T, s *smtp.Server, to string, options ...mail.Option) error {
	t.Helper()
	host, port, _ := strings.Cut(s.Addr(), ":")
	number := 0
	for _, c := range port {
		number = number*10 + int(c-'0')
	}
	client, err := mail.NewClient(host, append([]mail.Option{mail.WithPort(number), mail.WithTLSPolicy(mail.NoTLS), mail.WithTimeout(time.Minute)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	m := mail.NewMsg()
	_ = m.From("no-reply@lafaekstreet.tl")
	_ = m.To(to)
	m.Subject("Relatóriu ho LS-2026-000123")
	m.SetBodyString(mail.TypeTextPlain, "Bondia Ana, código: 123456 — obrigadu.\nSecond line")
	m.AddAlternativeString(mail.TypeTextHTML, "<p>Bondia <b>Ana</b></p>")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return client.DialAndSendWithContext(ctx, m)
}

func TestMailsAreKeptOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, smtp.Options{Dir: dir})
	if err := send(t, s, "ana@example.tl"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m, err := s.Await(ctx, "ANA@example.tl", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "Relatóriu ho LS-2026-000123" || m.From != "no-reply@lafaekstreet.tl" ||
		!strings.HasPrefix(m.Text, "Bondia Ana, código: 123456 — obrigadu.\nSecond line") || !strings.Contains(m.HTML, "<b>Ana</b>") {
		t.Errorf("kept %+v", m)
	}
	if got := s.Mails("bela@example.tl"); len(got) != 0 {
		t.Errorf("another address has mails: %v", got)
	}
	_ = s.Close()
	if got := start(t, smtp.Options{Dir: dir}).Mails("ana@example.tl"); len(got) != 1 || got[0].ID != m.ID {
		t.Errorf("after a restart: %v", got)
	}
}

func TestUnknownMailboxIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, smtp.Options{})
	if err := send(t, s, "bounce-1@example.tl"); err == nil || len(s.Mails("")) != 0 {
		t.Errorf("a mail to a mailbox that does not exist was accepted: %v", err)
	}
}

func TestOnlyMailsWithTLSAndPasswordAreAccepted(t *testing.T) {
	t.Parallel()
	s := start(t, smtp.Options{TLS: true, Username: "user", Password: "pass"})
	secure := []mail.Option{
		mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTLSConfig(&tls.Config{RootCAs: s.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}),
		mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername("user"),
	}
	if err := send(t, s, "a@example.tl", append(secure, mail.WithPassword("pass"))...); err != nil {
		t.Errorf("with the password: %v", err)
	}
	if err := send(t, s, "b@example.tl", append(secure, mail.WithPassword("wrong"))...); err == nil {
		t.Error("a wrong password was accepted")
	}
	if err := send(t, s, "c@example.tl"); err == nil {
		t.Error("a mail without TLS was accepted")
	}
	if got := s.Mails(""); len(got) != 1 || !got[0].TLS {
		t.Errorf("kept %+v", got)
	}
}

func TestFaultsFailOneMail(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mode faults.Mode
		kept int
		says string
	}{
		{faults.Error, 0, "451"},
		{faults.Throttle, 0, "454"},
		{faults.Malformed, 0, ""},
		{faults.Timeout, 0, ""},
		{faults.DropReply, 1, ""},
	}
	for _, c := range cases {
		t.Run(string(c.mode), func(t *testing.T) {
			t.Parallel()
			set := faults.NewSet()
			if err := set.Add(faults.Fault{Service: "smtp", Mode: c.mode}); err != nil {
				t.Fatal(err)
			}
			s := start(t, smtp.Options{Faults: set})
			var timeout []mail.Option
			if c.mode == faults.Timeout {
				timeout = append(timeout, mail.WithTimeout(time.Second))
			}
			err := send(t, s, "ana@example.tl", timeout...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one with %q", err, c.says)
			}
			if got := len(s.Mails("")); got != c.kept {
				t.Errorf("kept %d mails, want %d", got, c.kept)
			}
			set.Clear() // on a slow machine the client may have given up before the fault was used
			if err := send(t, s, "ana@example.tl"); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

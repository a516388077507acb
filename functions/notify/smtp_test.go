package notify

import (
	"net/textproto"
	"testing"
)

// SES gives passwords with "/", "+" and "=". They work as they are, and percent-encoded.
func TestServerAddressTakesAnyPassword(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][3]string{ // host and port, user name, password
		"smtps://AKIA123:BAb/c+d=e@email-smtp.us-east-1.amazonaws.com:465":   {"email-smtp.us-east-1.amazonaws.com:465", "AKIA123", "BAb/c+d=e"},
		"smtps://AKIA123:BAb%2Fc%2Bd%3De@email-smtp.us-east-1.amazonaws.com": {"email-smtp.us-east-1.amazonaws.com", "AKIA123", "BAb/c+d=e"},
		"smtp://me@example.org:p@ss:word?#@mail.example.org:587":             {"mail.example.org:587", "me@example.org", "p@ss:word?#"},
		"smtp://me:100%@mail.example.org":                                    {"mail.example.org", "me", "100%"},
		"smtp://me%3Ayou:x@mail.example.org":                                 {"mail.example.org", "me:you", "x"},
		"smtp://127.0.0.1:25":                                                {"127.0.0.1:25", "", ""},
	} {
		u, err := parseServer(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		password, _ := u.User.Password()
		if got := [3]string{u.Host, u.User.Username(), password}; got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
		if _, err := NewSMTP(MailConfig{URL: raw, From: "x@example.tl"}); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// A mailbox that does not exist is one reader's mistake. What the server refuses of us is refused for everybody.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want FailureKind
	}{
		"no mailbox":            {recipientError{&textproto.Error{Code: 550, Msg: "5.1.1 no such user"}}, Gone},
		"a malformed address":   {recipientError{&textproto.Error{Code: 553, Msg: "bad name"}}, Gone},
		"full":                  {recipientError{&textproto.Error{Code: 452, Msg: "4.2.2 full"}}, Delayed},
		"no relay":              {recipientError{&textproto.Error{Code: 550, Msg: "5.7.1 relaying denied"}}, Refused},
		"relay refused":         {recipientError{&textproto.Error{Code: 554, Msg: "relay access denied"}}, Refused},
		"sender not verified":   {&textproto.Error{Code: 554, Msg: "Message rejected: Email address is not verified."}, Refused},
		"sender unknown":        {&textproto.Error{Code: 550, Msg: "5.1.8 sender"}, Refused},
		"wrong password":        {&textproto.Error{Code: 535, Msg: "authentication"}, Refused},
		"throttled":             {&textproto.Error{Code: 454, Msg: "rate"}, Delayed},
		"no answer":             {recipientError{noAnswer()}, Delayed},
		"no answer to the mail": {noAnswer(), Delayed},
	} {
		if got := smtpFailure(c.err, Delayed); got.Kind != c.want {
			t.Errorf("%s: %v, want kind %d", name, got, c.want)
		}
	}
}

// noAnswer is an error without an answer of the server.
func noAnswer() error { return textproto.ProtocolError("short response") }

// Package mail hands mails from the function that asks for them to the worker that renders and
// sends them. A mail is sealed on the way: codes, links and addresses are never readable in a queue
// or in the outbox.
package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

// Template names the text of a mail. The catalog has it as "mail.<template>.subject"
// and "mail.<template>.text" in every language, with the params named here.
type Template string

// Mails that are not notifications. Somebody who registers another person's address chooses the name: only mails that
// confirm a registration have it, without anything that a mail program makes a link of.
const (
	RegistrationCode  Template = "registration_code"   // code, minutes, name
	PasswordResetCode Template = "password_reset_code" // code, minutes
	SignInCode        Template = "sign_in_code"        // code, minutes
	AlreadyRegistered Template = "already_registered"
	VerifyLink        Template = "verify_link" // link, minutes, name
	ResetLink         Template = "reset_link"  // link, minutes
	PasswordChanged   Template = "password_changed"
	AccountDeleted    Template = "account_deleted"
	AccountSuspended  Template = "account_suspended"
	AccountReinstated Template = "account_reinstated"
	SecondFactorReset Template = "second_factor_reset"
	ProfileCleared    Template = "profile_cleared"
	Invitation        Template = "invitation" // link, name, role, days
)

// Mails about reports, with Message.Sections.
const (
	AgencyAssigned Template = "agency_assigned" // notification.AgencyParams, note; to an agency's address
	AgencyOverdue  Template = "agency_overdue"  // notification.AgencyParams; to an agency's address
	AgencyDisputed Template = "agency_disputed" // notification.AgencyParams; to an agency's address
	Digest         Template = "digest"          // to an official or a moderator, once a day
	Alerts         Template = "alerts"          // to whoever has alerts, once a day
)

// ListsReports reports whether mails of this kind have Sections.
func (t Template) ListsReports() bool {
	return t == AgencyAssigned || t == AgencyOverdue || t == AgencyDisputed || t == Digest || t == Alerts
}

// Templates lists them, for tests of the catalog.
func Templates() []Template {
	return []Template{RegistrationCode, PasswordResetCode, SignInCode, AlreadyRegistered, VerifyLink, ResetLink, PasswordChanged, AccountDeleted,
		AccountSuspended, AccountReinstated, SecondFactorReset, Invitation, ProfileCleared, AgencyAssigned, AgencyOverdue, AgencyDisputed, Digest, Alerts}
}

// Message is one mail to one reader.
type Message struct {
	To       string            `json:"to"`
	Language locale.Language   `json:"language"`
	Template Template          `json:"template"`
	Params   map[string]string `json:"params,omitempty"`
	// Sections are lists of reports below the text. What is shown of a report is read when the mail is sent. Where they name
	// more than one report, the texts of the catalog with ".many" are used, if there are any. They may name {report_number}, of
	// the first report, and {count}.
	Sections []Section `json:"sections,omitempty"`
	// Also are the languages in which the text is repeated below, for an address that is no person's.
	Also []locale.Language `json:"also,omitempty"`
	// Stop is what a reader can end with the link in the mail; the zero Stop for a mail that nobody can end, such as a code.
	Stop Stop `json:"stop,omitzero"`
	// Expires is when the code or link of the mail ends; zero where it has none. The mail is not sent after that.
	Expires time.Time `json:"expires,omitzero"`
}

// Section is a list of reports in a mail.
type Section struct {
	// Title is the key of its heading in the catalog, "mail.section.<title>", with {count}. Empty: it has none.
	Title string `json:"title,omitempty"`
	// Total is how many reports there are; the mail says how many of them it does not list.
	Total int `json:"total"`
	// Reports are those that the mail lists, at most MaxListed.
	Reports []uuid.UUID `json:"reports"`
	// Notes are shown below the reports in their places; "" for none, and nil where no report has one of its own.
	Notes []string `json:"notes,omitempty"`
}

// MaxListed is the most reports that one section lists.
const MaxListed = 20

// Stop says which mails a reader can end, without signing in.
type Stop struct {
	Kind StopKind  `json:"kind"`
	ID   uuid.UUID `json:"id"` // of the person; for StopContact of the report
}

// StopKind is a kind of mail that a reader can end: a type of notification, a daily mail, or StopContact.
type StopKind string

// StopContact ends the mails to somebody for whom staff filed a report.
const StopContact StopKind = "contact"

const purpose = "mail"

// Send adds m to the transaction. The mail is sent after the commit.
func Send(ctx context.Context, tx *outbox.Tx, s *seal.Sealer, m Message) error {
	sealed, err := Seal(s, m)
	if err != nil {
		return err
	}
	return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Mail: sealed})
}

// Seal encrypts m.
func Seal(s *seal.Sealer, m Message) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode mail: %w", err)
	}
	return s.Seal(purpose, raw), nil
}

// Open decrypts what Seal made, else seal.ErrOpen.
func Open(s *seal.Sealer, sealed []byte) (Message, error) {
	raw, err := s.Open(purpose, sealed)
	if err != nil {
		return Message{}, fmt.Errorf("open mail: %w", err)
	}
	var m Message
	if err := json.Unmarshal(raw, &m); err != nil {
		return Message{}, fmt.Errorf("decode mail: %w", err)
	}
	return m, nil
}

// MaxAddressLength is the longest address, in bytes (RFC 5321, 4.5.3.1.3).
const MaxAddressLength = 254

// ParseAddress returns the address trimmed and in lower case. It is false for anything else: a
// name around the address, a domain without a dot, control characters.
func ParseAddress(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > MaxAddressLength || strings.ContainsAny(s, "\"<>,;:") || strings.ContainsFunc(s, unseen) {
		return "", false
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || parsed.Name != "" {
		return "", false
	}
	_, domain, _ := strings.Cut(s, "@")
	if !strings.Contains(strings.Trim(domain, "."), ".") {
		return "", false
	}
	return s, true
}

// maxLocalLength is the longest part before the @, in bytes (RFC 5321, 4.5.3.1.1).
const maxLocalLength = 64

// Deliverable reports whether the mail server can deliver to a parsed address. Servers such as Amazon SES accept only ASCII;
// an international domain can be written in its ASCII form (xn--…). The domain is a host name (RFC 1123, 2.1), no network address.
func Deliverable(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if at > maxLocalLength || strings.ContainsFunc(address, func(r rune) bool { return r > unicode.MaxASCII }) {
		return false
	}
	return hostName().MatchString(address[at+1:])
}

// hostName is labels of at most 63 letters, digits and inner hyphens; the last one begins with a letter.
var hostName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
})

// unseen reports a space or a character that is not printed, such as a change of direction.
func unseen(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }

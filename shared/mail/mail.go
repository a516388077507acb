// Package mail hands mails from the function that asks for them to the worker that renders and
// sends them. A mail is sealed on the way: codes, links and addresses are never readable in a queue
// or in the outbox.
package mail

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

// Template names the text of a mail. The catalog has it as "mail.<template>.subject"
// and "mail.<template>.text" in every language, with the params named here.
type Template string

// Mails that are not notifications. None contains the name of its reader, because somebody who registers
// another person's address could choose that text.
const (
	RegistrationCode  Template = "registration_code"   // code, minutes
	PasswordResetCode Template = "password_reset_code" // code, minutes
	AlreadyRegistered Template = "already_registered"
	VerifyLink        Template = "verify_link" // link, minutes
	ResetLink         Template = "reset_link"  // link, minutes
	PasswordChanged   Template = "password_changed"
	AccountDeleted    Template = "account_deleted"
)

// Templates lists them, for tests of the catalog.
func Templates() []Template {
	return []Template{RegistrationCode, PasswordResetCode, AlreadyRegistered, VerifyLink, ResetLink, PasswordChanged, AccountDeleted}
}

// Message is one mail to one reader.
type Message struct {
	To       string            `json:"to"`
	Language locale.Language   `json:"language"`
	Template Template          `json:"template"`
	Params   map[string]string `json:"params,omitempty"`
}

const purpose = "mail"

// Send adds m to the unit of work; it goes out after the commit.
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

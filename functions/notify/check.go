package notify

import (
	"context"
	"fmt"

	gomail "github.com/wneessen/go-mail"
)

// Check signs in at the mail server and leaves. It sends nothing.
func (s *SMTP) Check(ctx context.Context) error {
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("sign in at the mail server: %w", err)
	}
	_ = conn.Quit() // it let us in
	return nil
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"time"
)

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code finds the one-time code mailed to email, in the console of a local system. Where there is no console, it asks for
// the code on the terminal.
func (s *story) code(ctx context.Context, email string) (string, error) {
	for range 60 {
		var mails []struct {
			Text string `json:"text"`
		}
		err := s.get(ctx, "//_local/mail?to="+url.QueryEscape(email), &mails)
		if err != nil {
			return s.ask(email) // no console: not a local system
		}
		for _, m := range mails {
			if code := sixDigits.FindString(m.Text); code != "" {
				return code, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	return "", fmt.Errorf("no mail with a code reached %s", email)
}

func (s *story) ask(email string) (string, error) {
	_, _ = fmt.Fprintf(s.out, "  the code mailed to %s: ", email)
	in := bufio.NewScanner(os.Stdin)
	if in.Scan() {
		if code := sixDigits.FindString(in.Text()); code != "" {
			return code, nil
		}
	}
	return "", fmt.Errorf("a code of six digits is needed; or set DEMO_EMAIL and DEMO_PASSWORD")
}

package simulation

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/locale"
)

// SendDailyMails runs the function that sends the daily mails twice, as the scheduler may. Call it when nothing is pending.
func (s *Simulation) SendDailyMails(ctx context.Context) error {
	for range 2 {
		if _, err := s.staff.must(ctx, post("daily mails", "//_local/schedules/digest", nil), http.StatusOK); err != nil {
			return fmt.Errorf("daily mails: %w", err)
		}
	}
	s.digested = true
	return nil
}

// digests checks that each person with an alert got one daily mail, with everything that they were told in the app until then.
func (a *Reconciliation) digests(ctx context.Context) error {
	if !a.simulation.digested {
		return nil
	}
	type due struct {
		User             string
		New, Fixed, Sent int
	}
	found, err := rows[due](ctx, a, `SELECT u.id::text,
			count(n.*) FILTER (WHERE n.params ->> 'status' <> 'fixed')::int, count(n.*) FILTER (WHERE n.params ->> 'status' = 'fixed')::int,
			(SELECT count(*)::int FROM daily_mails m WHERE m.user_id = u.id AND m.kind = 'alerts')
		FROM users u LEFT JOIN notifications n ON n.user_id = u.id AND n.type = 'alert'
			AND n.created_at <= coalesce((SELECT max(created_at) FROM daily_mails m WHERE m.user_id = u.id AND m.kind = 'alerts'), 'infinity')
		WHERE u.id = ANY($1::uuid[]) GROUP BY u.id`, a.users)
	if err != nil {
		return err
	}
	dues := map[string]due{}
	for _, d := range found {
		dues[d.User] = d
	}
	gathered := 0
	for _, u := range a.simulation.citizens {
		d, want := dues[u.id], 0
		if d.New+d.Fixed > 0 {
			want = 1
		}
		mails, err := a.dailyMails(ctx, u.email)
		if err != nil {
			return err
		}
		a.daily += len(mails)
		gathered += d.New + d.Fixed
		if len(mails) != want || d.Sent != want {
			a.AddDifference("%s got %d daily mails, %d are recorded, want %d", u.email, len(mails), d.Sent, want)
			continue
		}
		for _, m := range mails {
			if !says(m, "alert_new", d.New) || !says(m, "alert_fixed", d.Fixed) {
				a.AddDifference("the daily mail to %s does not say %d new and %d fixed: %.300s", u.email, d.New, d.Fixed, m)
			}
		}
	}
	a.line(a.daily, fmt.Sprintf("daily mails of alerts, with %d reports", gathered))
	return nil
}

// dailyMails are the texts of the daily mails of alerts that reached an address.
func (a *Reconciliation) dailyMails(ctx context.Context, email string) ([]string, error) {
	var mails []struct{ Subject, Text string }
	if err := (apiclient.Client{URL: a.simulation.url}).Call(ctx, apiclient.Request{Path: "//_local/mail?to=" + url.QueryEscape(email)}, &mails); err != nil {
		return nil, fmt.Errorf("reconcile: mails: %w", err)
	}
	subject, _ := locale.Text(locale.Tetum, "mail.alerts.subject", nil)
	var out []string
	for _, m := range mails {
		if m.Subject == subject {
			out = append(out, m.Text)
		}
	}
	return out, nil
}

// says reports whether a mail has a section with so many reports; without any, whether it has no such section.
func says(text, section string, n int) bool {
	label, _ := locale.Text(locale.Tetum, "mail.section."+section, map[string]string{"count": ""})
	if n == 0 {
		return !strings.Contains(text, label)
	}
	line, _ := locale.Text(locale.Tetum, "mail.section."+section, map[string]string{"count": strconv.Itoa(n)})
	return strings.Contains(text, line+"\n")
}

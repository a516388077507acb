package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/lafaekstreet/backend/infra/local/requestcost"
)

// data prints how many bytes the tasks of the app send and receive.
func data(ctx context.Context, r *Run) error {
	s, err := r.newTestbed(ctx, r.Size)
	if err != nil {
		return err
	}
	rows, err := requestcost.Measure(ctx, s.site.URL, s.tokens[s.site].citizen, nth(s.samples.pictured, 0).String())
	if err != nil {
		return errors.Join(err, s.close())
	}
	t := NewTable("Data, bytes sent and received without pictures", "task", "requests", "sent", "received", "at most", "goal")
	for _, row := range rows {
		what := fmt.Sprint(row.Goal)
		if row.Both {
			what += " both ways"
		}
		t.Row(row.Name, row.Requests, row.Sent, row.Received, what, r.Goal(row.Name, row.Cost() <= row.Goal))
	}
	t.Note("Headers and compressed bodies of HTTP/1.1. Phones use HTTP/2, which compresses most headers.")
	r.Print(t)
	return s.close()
}

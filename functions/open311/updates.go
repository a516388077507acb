package open311

import (
	"context"
	"time"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerUpdates(a *httpapi.API) {
	register(g, a, read("/servicerequestupdates", "What changed, as FixMyStreet reads it"), g.updates)
}

type updatesInput struct{ Call }

// latest is how far back updates go where a client names no dates.
const latest = 24 * time.Hour

func (g *Group) updates(ctx context.Context, in *updatesInput) (*answer, error) {
	span, asked, err := in.span(g.clock.Now())
	if err != nil {
		return nil, err
	}
	if !asked {
		span.from = span.from.Add(longest - latest)
	}
	q, beyond, err := in.page(g.bounds.before)
	if err != nil {
		return nil, err
	}
	all := list{item: "request_update"}
	found, more, err := g.reader.Updates(ctx, span.from, span.to, q)
	if err != nil {
		return nil, err
	}
	if beyond {
		return afterLast(document{"service_request_updates", all}, len(found) > 0)
	}
	for _, u := range found {
		all.values = append(all.values, g.update(ctx, u))
	}
	return g.fitted(ctx, &in.Call, q, document{"service_request_updates", all}, more, "")
}

// update is one change. What is absent is left out.
func (g *Group) update(ctx context.Context, u reportread.Update) object {
	word, code := extended(u)
	out := object{{"update_id", u.ID}, {"service_request_id", u.Number}, {"status", word}, {"updated_datetime", w3Text(u.At)}}
	if u.Note != nil && *u.Note != "" {
		out = append(out, member{"description", *u.Note})
	}
	if u.Picture != nil {
		out = append(out, member{"media_url", g.base(ctx).Picture(u.Number, *u.Picture, "display")})
	}
	return append(out, member{"external_status_code", code})
}

// extended returns the status of an update in the words of FixMyStreet, and the word of ours behind it. What was taken down is CLOSED
// with its reason. A verified report is still OPEN: nobody works on it yet. So is one that goes back: FixMyStreet sends REOPEN, but a
// REOPEN that it reads changes nothing there.
func extended(u reportread.Update) (string, string) {
	if u.Removed != nil {
		if u.Removed.ReasonCode != nil {
			return "CLOSED", string(*u.Removed.ReasonCode)
		}
		return "CLOSED", string(u.Removed.Status)
	}
	code := string(*u.To)
	switch *u.To {
	case report.Fixed:
		return "FIXED", code
	case report.Duplicate:
		return "DUPLICATE", code
	case report.Rejected:
		return "CLOSED", code
	case report.InProgress:
		return "IN_PROGRESS", code
	}
	return "OPEN", code
}

package admin

import (
	"context"
	"net/http"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/settings"
)

func (g *Group) registerSettings(a *httpapi.API) {
	httpapi.Register(a, operation(http.MethodGet, "/settings", "Read the settings", ""), g.readSettings)
	httpapi.Register(a, operation(http.MethodPut, "/settings", "Replace the settings",
		"Every process follows within 30 seconds."), g.writeSettings)
}

type settingsBody struct {
	Body settings.Settings
}

func (g *Group) readSettings(ctx context.Context, _ *struct{}) (*settingsBody, error) {
	s, err := settings.Read(ctx, g.db)
	return &settingsBody{Body: s}, err
}

func (g *Group) writeSettings(ctx context.Context, in *settingsBody) (*settingsBody, error) {
	in.Body = in.Body.Complete()
	if a := in.Body.Area; a[0] >= a[2] || a[1] >= a[3] {
		return nil, problem.InvalidField("report_area", "expected the smallest longitude and latitude first, then the largest")
	}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before, err := settings.Read(ctx, tx)
		if err != nil {
			return err
		}
		if err := settings.Write(tx, identity.Must(ctx).UserID, in.Body); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "settings.change", Entity: "settings", EntityID: "all", Before: before, After: in.Body})
	})
	if err != nil {
		return nil, err
	}
	return in, nil
}

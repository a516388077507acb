package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/settings"
)

func (g *Group) registerSettings(a *httpapi.API) {
	httpapi.Register(a, operation(http.MethodGet, "/settings", "Read the settings", "All of them, with the values that count now."), g.readSettings)
	httpapi.Register(a, operation(http.MethodPut, "/settings", "Replace the settings",
		"Every process follows within 30 seconds. An optional setting that is absent stays as it is."), g.writeSettings)
}

type settingsBody struct {
	Body settings.Settings
}

func (g *Group) readSettings(ctx context.Context, _ *struct{}) (*settingsBody, error) {
	s, err := settings.Read(ctx, g.db)
	return &settingsBody{Body: s}, err
}

type writeSettingsInput struct {
	Body    settings.Settings
	RawBody []byte // says which settings are absent
}

func (g *Group) writeSettings(ctx context.Context, in *writeSettingsInput) (*settingsBody, error) {
	out := &settingsBody{}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before, err := settings.Read(ctx, tx)
		if err != nil {
			return err
		}
		out.Body = before
		if err := json.Unmarshal(in.RawBody, &out.Body); err != nil {
			return fmt.Errorf("read settings: %w", err) // cannot happen: the schema has accepted it
		}
		out.Body = out.Body.Complete()
		if err := out.Body.Check(); err != nil {
			return err
		}
		if reflect.DeepEqual(before, out.Body) {
			return nil // nothing changes, and nothing is in the log
		}
		if err := settings.Write(tx, identity.Must(ctx).UserID, out.Body); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "settings.change", Entity: "settings", EntityID: "all", Before: before, After: out.Body})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

package users

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerDevices(a *httpapi.API) {
	put := operation(http.MethodPut, "/me/devices/{device_id}", "Say where push messages go",
		"Adds the device or updates it. Push messages go to it until the session that sent this ends. A push token that was somebody "+
			"else's on that phone is taken from them.")
	put.Lenient = &httpapi.Lenient{Exact: true}
	httpapi.Register(a, put, g.putDevice)
	httpapi.Register(a, operation(http.MethodDelete, "/me/devices/{device_id}", "Stop push messages to a device", "Forgets the device and its push token. The session on it goes on.").WithProblems(errDeviceNotFound), g.deleteDevice)
}

// DevicePath names a device of the caller.
type DevicePath struct {
	DeviceID string `path:"device_id" minLength:"1" maxLength:"200" doc:"Chosen by the app; stable on one installation"`
}

// deviceBody is a device without its id.
type deviceBody struct {
	_          struct{} `schema:"DeviceWrite"`
	Platform   string   `json:"platform" maxLength:"20" words:"android,ios,web" doc:"android, ios or web" example:"android"`
	FCMToken   string   `json:"fcm_token,omitempty" maxLength:"4096" doc:"Where Firebase delivers; absent leaves what is stored"`
	AppVersion string   `json:"app_version,omitempty" maxLength:"50"`
	OSVersion  string   `json:"os_version,omitempty" maxLength:"50"`
	Model      string   `json:"model,omitempty" maxLength:"100"`
}

type deviceInput struct {
	DevicePath
	Body deviceBody
}

type deviceOutput struct {
	Body struct {
		_          struct{} `schema:"DeviceRegistration"`
		DeviceID   string   `json:"device_id"`
		Platform   string   `json:"platform" enum:"android,ios,web"`
		AppVersion string   `json:"app_version,omitempty"`
		OSVersion  string   `json:"os_version,omitempty"`
		Model      string   `json:"model,omitempty"`
		Push       bool     `json:"push" doc:"A push token is stored"`
		// Warnings is set in the answer to a request that sent something which was not kept.
		Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
	}
}

func (g *Group) putDevice(ctx context.Context, in *deviceInput) (*deviceOutput, error) {
	platform := strings.ToLower(strings.TrimSpace(in.Body.Platform))
	switch platform {
	case "android", "ios", "web":
	default:
		return nil, problem.InvalidField("platform", "expected android, ios or web")
	}
	c := identity.Must(ctx)
	var stored *database.Ask[*deviceOutput]
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		b := in.Body
		account.StoreDevice(tx, c.UserID, account.Device{ID: in.DeviceID, Platform: platform, AppVersion: b.AppVersion,
			OSVersion: b.OSVersion, Model: b.Model, FCMToken: b.FCMToken, Session: c.SessionID})
		const q = `
			SELECT device_id, platform, coalesce(app_version, ''), coalesce(os_version, ''), coalesce(model, ''), fcm_token IS NOT NULL
			  FROM devices WHERE user_id = $1 AND device_id = $2`
		stored = database.AskRow(tx, scanDevice, q, c.UserID, in.DeviceID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := stored.Get()
	out.Body.Warnings = warning.FromContext(ctx).List()
	return out, nil
}

func (g *Group) deleteDevice(ctx context.Context, in *DevicePath) (*httpapi.MessageOutput, error) {
	tag, err := g.db.Exec(ctx, `DELETE FROM devices WHERE user_id = $1 AND device_id = $2`, identity.Must(ctx).UserID, in.DeviceID)
	if err != nil {
		return nil, fmt.Errorf("remove device: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil, errDeviceNotFound
	}
	return httpapi.Message(ctx, "users.device_removed"), nil
}

func scanDevice(row pgx.CollectableRow) (*deviceOutput, error) {
	out := &deviceOutput{}
	d := &out.Body
	err := row.Scan(&d.DeviceID, &d.Platform, &d.AppVersion, &d.OSVersion, &d.Model, &d.Push)
	return out, err
}

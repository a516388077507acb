package users

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/profile"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerExport(a *httpapi.API) {
	op := operation(http.MethodGet, "/me/export", "Get everything held about oneself",
		"One JSON object: the profile, and a list for each kind of record.")
	op.Cache, op.Limit = httpapi.Never, httpapi.LimitAuth
	httpapi.Register(a, op, g.export)
}

type exportOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        struct {
		ExportedAt timestamp.Time              `json:"exported_at"`
		Profile    profile.User                `json:"profile"`
		Records    map[string][]map[string]any `json:"records" doc:"By kind: sessions, devices, reports, uploads, comments, notifications, journeys, markers, following, audit"`
	}
}

// held are the records of a person by kind. No secrets: their hashes are ours, not about the person.
var held = []struct{ kind, query string }{
	{"account", `SELECT email_verified_at, google_subject, notification_prefs, suspended_at, suspended_reason,
		totp_confirmed_at AS second_factor_since, updated_at FROM users WHERE id = $1`},
	{"sessions", `SELECT id, device_id, platform, app_version, os_version, model, created_at, last_used_at, expires_at, revoked_at,
		revoked_reason FROM sessions WHERE user_id = $1 ORDER BY created_at`},
	{"devices", `SELECT device_id, platform, app_version, os_version, model, fcm_token, created_at, updated_at
		FROM devices WHERE user_id = $1 ORDER BY created_at`},
	{"reports", `SELECT id, report_number, client_id, issue_type, title, description, severity, severity_guess, status, latitude,
		longitude, location_accuracy, address, street, suco, district, municipality, is_anonymous, captured_at, created_offline,
		device_info, created_at, updated_at, deleted_at FROM reports WHERE user_id = $1 ORDER BY created_at`},
	{"uploads", `SELECT id, content_type, size_bytes, state, width, height, exif_latitude, exif_longitude, exif_taken_at, created_at,
		expires_at FROM uploads WHERE user_id = $1 ORDER BY created_at`},
	{"comments", `SELECT id, report_id, content, created_at, deleted_at FROM report_comments WHERE author_id = $1 ORDER BY created_at`},
	{"notifications", `SELECT id, type, report_id, params, read_at, created_at FROM notifications WHERE user_id = $1 ORDER BY created_at`},
	{"following", `SELECT report_id, created_at FROM report_followers WHERE user_id = $1 ORDER BY created_at`},
	{"journeys", `SELECT id, name, description, active, completed, visibility, created_at, updated_at
		FROM journeys WHERE user_id = $1 ORDER BY created_at`},
	{"markers", `SELECT id, journey_id, name, marker_type, lon AS longitude, lat AS latitude, happened_on, planned_on, notes, created_at
		FROM markers WHERE owner_id = $1 ORDER BY created_at`},
	{"audit", `SELECT at, action, entity, entity_id FROM audit_log WHERE actor_id = $1 ORDER BY at`},
}

func (g *Group) export(ctx context.Context, _ *struct{}) (*exportOutput, error) {
	c, out := identity.Must(ctx), &exportOutput{Disposition: `attachment; filename="lafaekstreet-export.json"`}
	out.Body.ExportedAt, out.Body.Records = timestamp.Of(g.clock.Now()), make(map[string][]map[string]any, len(held))
	// One snapshot: no record is missing in one list for having just moved to another.
	err := pgx.BeginTxFunc(ctx, g.db.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var err error
		if out.Body.Profile, err = profile.Load(ctx, tx, c.UserID); err != nil {
			return err
		}
		for _, h := range held {
			rows, err := tx.Query(ctx, h.query, c.UserID)
			if err != nil {
				return fmt.Errorf("export %s: %w", h.kind, err)
			}
			if out.Body.Records[h.kind], err = pgx.AppendRows([]map[string]any{}, rows, record); err != nil {
				return fmt.Errorf("export %s: %w", h.kind, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// record is a row by column, in wire form.
func record(row pgx.CollectableRow) (map[string]any, error) {
	m, err := pgx.RowToMap(row)
	for name, value := range m {
		switch v := value.(type) {
		case time.Time:
			m[name] = timestamp.Of(v)
		case [16]byte:
			m[name] = uuid.UUID(v)
		}
	}
	return m, err
}

package users

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/shared/admission"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerExport(a *httpapi.API) {
	op := operation(http.MethodGet, "/me/export", "Get everything held about oneself",
		"One JSON object: the profile, and a list for each kind of record. Where that is more than one answer can hold, next_cursor asks for the rest.")
	op.Cache, op.Limit = httpapi.Never, admission.LimitAuth
	httpapi.Register(a, op, g.export)
}

type exportOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        struct {
		_          struct{}                    `schema:"PersonalExport"`
		ExportedAt timestamp.Time              `json:"exported_at"`
		Profile    account.User                `json:"profile"`
		Records    map[string][]map[string]any `json:"records" doc:"By kind: account, sessions, devices, reports, uploads, comments, notifications, following, journeys, markers, audit, status_changes, notes, invitations, daily_mails, follows, confirmations, disputes, alerts, filed_for_me, filed_by_me, flags, pictures, tracks, track_points (up to 1,000 a record; degrees times ten million, metres, milliseconds since 1970), sent_for_me (over Open311, with the address of the account). Reports, comments and status changes have the member receipt, as POST /reports has it, and all members of the commitment that it vouches for"`
		NextCursor *string                     `json:"next_cursor" doc:"Opaque; send it as cursor for the records that did not fit. null on the last answer"`
	}
}

type exportInput struct {
	Cursor string `query:"cursor" maxLength:"100" doc:"next_cursor of the answer before"`
}

// maxExported is what the records of one answer take as JSON, in bytes: the gateway ends an answer at 6 MB.
const maxExported = 4 << 20

// exported are the queries for a person's records by kind. Hashes of secrets are left out. A cursor names a kind by its
// index, so a new kind goes to the end.
var exported = []struct{ kind, query string }{
	{"account", `SELECT email_verified_at, google_subject, notification_prefs, suspended_at, suspended_reason,
		totp_confirmed_at AS second_factor_since, updated_at FROM users WHERE id = $1`},
	{"sessions", `SELECT id, device_id, platform, app_version, os_version, model, created_at, last_used_at, expires_at, revoked_at,
		revoked_reason FROM sessions WHERE user_id = $1 ORDER BY created_at, id`},
	{"devices", `SELECT device_id, platform, app_version, os_version, model, fcm_token, created_at, updated_at
		FROM devices WHERE user_id = $1 ORDER BY created_at, device_id`},
	{"reports", `SELECT r.id, report_number, user_id AS author, client_id, source, issue_type, issue_type_raw, title, description, severity, severity_guess, severity_score, priority, status, latitude,
		longitude, location_accuracy, address, street, suco, district, municipality, is_anonymous, captured_at, created_offline,
		device_info, appealed_at, appeal_reason, original_words, CASE WHEN reason_code IS NULL THEN removal_note END AS withdrawal_reason, words_hidden, words_hidden_reason,
		r.created_at, updated_at, resolved_at, deleted_at, removed_at, removed_by, ` + ledger.ReceiptColumns("$1") + `
		FROM reports r LEFT JOIN ledger_events e ON e.report_id = r.id AND e.seq = 1 WHERE user_id = $1 ORDER BY r.created_at, r.id`},
	{"uploads", `SELECT id, content_type, size_bytes, state, width, height, exif_latitude, exif_longitude, exif_taken_at, created_at,
		expires_at FROM uploads WHERE user_id = $1 ORDER BY created_at, id`},
	{"comments", `SELECT c.id, c.report_id, author_id AS author, content, c.hidden, c.hidden_reason, c.created_at, c.deleted_at, ` + ledger.ReceiptColumns("$1") + `
		FROM report_comments c JOIN reports r ON r.id = c.report_id LEFT JOIN ledger_events e ON e.report_id = c.report_id AND e.seq = c.seq
		WHERE c.author_id = $1 ORDER BY c.created_at, c.id`},
	{"notifications", `SELECT n.id, n.type, n.report_id, ` + notification.ParamsSQL + ` AS params, n.read_at, n.created_at FROM notifications n
		WHERE n.user_id = $1 ORDER BY n.created_at, n.id`},
	{"following", `SELECT report_id, created_at FROM report_followers WHERE user_id = $1 ORDER BY created_at, report_id`},
	{"journeys", `SELECT id, name, description, active, completed, visibility, hide_ends_m, created_at, updated_at
		FROM journeys WHERE user_id = $1 ORDER BY created_at, id`},
	{"markers", `SELECT id, journey_id, name, marker_type, lon AS longitude, lat AS latitude, happened_on, planned_on, notes, created_at
		FROM markers WHERE owner_id = $1 ORDER BY created_at, id`},
	{"audit", `SELECT at, action, entity, entity_id FROM audit_log WHERE actor_id = $1 ORDER BY at, id`},
	{"status_changes", `SELECT h.id, h.report_id, old_status, new_status, note, h.created_at, ` + ledger.ReceiptColumns("$1") + `
		FROM report_status_history h JOIN reports r ON r.id = h.report_id LEFT JOIN ledger_events e ON e.report_id = h.report_id AND e.seq = h.seq
		WHERE h.actor_id = $1 ORDER BY h.created_at, h.id`},
	{"notes", `SELECT id, report_id, content, created_at FROM report_notes WHERE author_id = $1 ORDER BY created_at, id`},
	{"invitations", `SELECT role, agency_id, full_name, invited_by, expires_at, created_at FROM invitations WHERE user_id = $1 ORDER BY created_at`},
	{"daily_mails", `SELECT kind, day, created_at FROM daily_mails WHERE user_id = $1 ORDER BY day, kind`},
	{"follows", `SELECT report_id, created_at FROM report_follows WHERE user_id = $1 ORDER BY created_at, report_id`},
	{"confirmations", `SELECT report_id, created_at FROM report_confirmations WHERE user_id = $1 ORDER BY created_at, report_id`},
	{"disputes", `SELECT d.id, d.report_id, fixed_at, on_behalf_of, comment_id, image_id, d.created_at, ` + ledger.ReceiptColumns("$1") + `
		FROM report_disputes d JOIN reports r ON r.id = d.report_id LEFT JOIN ledger_events e ON e.report_id = d.report_id AND e.seq = d.seq
		WHERE d.user_id = $1 ORDER BY d.created_at, d.id`},
	{"alerts", `SELECT id, latitude, longitude, radius_meters, municipality_code, issue_types, events, created_at FROM alerts WHERE user_id = $1 ORDER BY created_at, id`},
	{"filed_for_me", `SELECT c.report_id, c.full_name, c.phone_number, c.email, c.preferred_language, c.muted_at, c.claimed_at, c.created_at
		FROM report_contacts c JOIN reports r ON r.id = c.report_id WHERE r.user_id = $1 ORDER BY c.created_at, c.report_id`},
	{"filed_by_me", `SELECT report_id, filed_by, client_id, created_at FROM report_contacts WHERE filed_by = $1 ORDER BY created_at, report_id`},
	{"flags", `SELECT id, report_id, comment_id, reason_code, note, created_at, settled_at, outcome FROM report_flags WHERE user_id = $1 ORDER BY created_at, id`},
	{"pictures", `SELECT i.id, i.report_id, i.upload_id, i.kind, i.added_by, i.hidden, i.hidden_reason, i.boxes, i.created_at
		FROM report_images i JOIN uploads u ON u.id = i.upload_id WHERE u.user_id = $1 AND i.deleted_at IS NULL ORDER BY i.created_at, i.id`},
	{"tracks", `SELECT t.id, journey_id, t.name, kind, points, length_m, started_at, ended_at, utc_offset_s, t.created_at
		FROM tracks t JOIN journeys j ON j.id = t.journey_id WHERE j.user_id = $1 ORDER BY t.created_at, t.id`},
	// Up to 1,000 points a record: degrees times ten million, metres, milliseconds since 1970.
	{"track_points", `SELECT track_id, seq, segment, lons AS longitudes_e7, lats AS latitudes_e7, elevations, times
		FROM track_points p JOIN tracks t ON t.id = p.track_id JOIN journeys j ON j.id = t.journey_id
		WHERE j.user_id = $1 ORDER BY t.created_at, track_id, seq`},
	{"sent_for_me", `SELECT c.report_id, c.full_name, c.phone_number, c.email, c.preferred_language, c.device_id, c.account_id, c.created_at
		FROM open311_contacts c JOIN users u ON u.email = c.email AND u.email_verified_at IS NOT NULL WHERE u.id = $1 ORDER BY c.created_at, c.report_id`},
}

func (g *Group) export(ctx context.Context, in *exportInput) (*exportOutput, error) {
	from, err := parsePlace(in.Cursor)
	if err != nil {
		return nil, err
	}
	c, out := identity.Must(ctx), &exportOutput{Disposition: `attachment; filename="lafaekstreet-export.json"`}
	out.Body.ExportedAt, out.Body.Records = timestamp.Of(g.clock.Now()), make(map[string][]map[string]any, len(exported))
	// All lists are read from one snapshot, so that they agree with each other.
	err = pgx.BeginTxFunc(ctx, g.db.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var err error
		if out.Body.Profile, err = account.Load(ctx, tx, c.UserID, httpapi.Origin(ctx)); err != nil {
			return err
		}
		room := maxExported
		for i, h := range exported {
			out.Body.Records[h.kind] = []map[string]any{}
			if i < from.kind || out.Body.NextCursor != nil {
				continue
			}
			skip := 0
			if i == from.kind {
				skip = from.records
			}
			records, all, err := g.recordsOf(ctx, tx, h.query, c.UserID, skip, &room)
			if err != nil {
				return fmt.Errorf("export %s: %w", h.kind, err)
			}
			out.Body.Records[h.kind] = records
			if !all {
				next := place{i, skip + len(records)}.String()
				out.Body.NextCursor = &next
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// recordsOf reads records until room, in bytes, is used up. The bool reports that none are left.
func (g *Group) recordsOf(ctx context.Context, tx pgx.Tx, query string, user uuid.UUID, skip int, room *int) ([]map[string]any, bool, error) {
	rows, err := tx.Query(ctx, query+` OFFSET $2`, user, skip)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	out := []map[string]any{}
	for rows.Next() {
		m, err := record(rows)
		if err != nil {
			return nil, false, err
		}
		g.addReceipt(ctx, m)
		raw, err := json.Marshal(m)
		if err != nil {
			return nil, false, err
		}
		if *room -= len(raw) + 1; *room < 0 {
			return out, false, nil
		}
		out = append(out, m)
	}
	return out, true, rows.Err()
}

// addReceipt puts the receipt of a record in the place of its columns (ledger.ReceiptColumns). A record without an event has
// none.
func (g *Group) addReceipt(ctx context.Context, m map[string]any) {
	if index, ok := m["receipt_index"].(int64); ok {
		e := ledger.Logged{Index: index}
		e.Payload, _ = m["receipt_payload"].([]byte)
		e.Salt, _ = m["receipt_salt"].([]byte)
		if key, ok := m["receipt_key"].(string); ok {
			e.Key = &key
		}
		if receipt := g.receipts.For(ctx, e); receipt != nil {
			m["receipt"] = receipt
		}
	}
	for _, column := range []string{"receipt_index", "receipt_payload", "receipt_salt", "receipt_key"} {
		delete(m, column)
	}
}

// place is where an export continues: after that many records of the kind with that index in exported.
type place struct{ kind, records int }

// String is the place as a cursor.
func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", p.kind, p.records))
}

func parsePlace(cursor string) (place, error) {
	if cursor == "" {
		return place{}, nil
	}
	var p place
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		_, err = fmt.Sscanf(string(raw), "%d.%d", &p.kind, &p.records)
	}
	if err != nil || p.kind < 0 || p.kind >= len(exported) || p.records < 0 {
		return place{}, problem.InvalidField("cursor", "not a cursor of an export")
	}
	return p, nil
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

package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
)

// item is a notification with whom it is for.
type item struct {
	id       uuid.UUID
	typ      notification.Type
	reportID *uuid.UUID
	params   map[string]string
	userID   uuid.UUID
	email    *string // nil unless confirmed
	name     string
	language locale.Language
	prefs    notification.Prefs
	devices  []device
}

type device struct {
	id, token string
}

// Channels, as notification_deliveries names them.
const (
	byMail = "mail"
	byPush = "push"
)

// notification delivers by every channel its reader wants, each once.
func (w *Worker) notification(ctx context.Context, id uuid.UUID) error {
	it, err := w.item(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // erased meanwhile
	}
	if err != nil {
		return err
	}
	title, body := notification.Text(it.language, it.typ, it.params)
	var wg sync.WaitGroup
	failures := make([]error, 1+len(it.devices))
	if it.email != nil {
		wg.Go(func() {
			failures[0] = w.once(ctx, it, byMail, "", it.prefs.Mail(it.typ), func(ready handOver) error {
				return w.mailer.Send(ctx, notice(it, title, body), ready)
			})
		})
	}
	for i, d := range it.devices {
		wg.Go(func() { failures[i+1] = w.push(ctx, it, d, title, body) })
	}
	wg.Wait()
	return errors.Join(failures...)
}

func (w *Worker) push(ctx context.Context, it item, d device, title, body string) error {
	if w.pusher == nil {
		return nil
	}
	return w.once(ctx, it, byPush, d.id, it.prefs.PushTo(it.typ), func(ready handOver) error {
		err := w.pusher.Push(ctx, Push{Token: d.token, Title: title, Body: body, Data: it.data()}, ready)
		if err == nil || kindOf(err) != Gone {
			return err
		}
		const forget = `UPDATE devices SET fcm_token = NULL, updated_at = now() WHERE user_id = $1 AND device_id = $2 AND fcm_token = $3`
		if _, dbErr := w.db.Exec(ctx, forget, it.userID, d.id, d.token); dbErr != nil {
			w.log.WarnContext(ctx, "dead push token not forgotten", "error", dbErr)
		}
		w.metrics.Add(catalog.PushTokenDropped)
		return err
	})
}

func (w *Worker) item(ctx context.Context, id uuid.UUID) (item, error) {
	const q = `
		SELECT n.id, n.type, n.report_id, n.params, u.id, CASE WHEN u.email_verified_at IS NOT NULL THEN u.email::text END,
		       u.full_name, u.preferred_language, u.notification_prefs
		FROM notifications n JOIN users u ON u.id = n.user_id
		WHERE n.id = $1 AND u.deleted_at IS NULL AND u.suspended_at IS NULL`
	var it item
	var params, prefs []byte
	var language string
	err := w.db.QueryRow(ctx, q, id).Scan(&it.id, &it.typ, &it.reportID, &params, &it.userID, &it.email, &it.name, &language, &prefs)
	if err != nil {
		return item{}, fmt.Errorf("read notification: %w", err)
	}
	if err := json.Unmarshal(params, &it.params); err != nil {
		return item{}, fmt.Errorf("read notification: %w", err)
	}
	it.language, _ = locale.Parse(language)
	it.prefs = notification.ParsePrefs(prefs)
	rows, err := w.db.Query(ctx, `SELECT device_id, fcm_token FROM devices WHERE user_id = $1 AND fcm_token IS NOT NULL ORDER BY updated_at DESC LIMIT 20`, it.userID)
	if err != nil {
		return item{}, fmt.Errorf("read devices: %w", err)
	}
	it.devices, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (device, error) {
		var d device
		err := row.Scan(&d.id, &d.token)
		return d, err
	})
	if err != nil {
		return item{}, fmt.Errorf("read devices: %w", err)
	}
	return it, nil
}

// data is what an app acts on when the message is tapped.
func (it item) data() map[string]string {
	out := map[string]string{"notification_id": it.id.String(), "type": string(it.typ)}
	if it.reportID != nil {
		out["report_id"] = it.reportID.String()
	}
	for _, name := range []string{notification.ParamReportNumber, notification.ParamStatus} {
		if v := it.params[name]; v != "" {
			out[name] = v
		}
	}
	return out
}

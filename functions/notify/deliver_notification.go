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

// item is a notification and its reader.
type item struct {
	id       uuid.UUID
	typ      notification.Type
	reportID *uuid.UUID
	params   map[string]string
	userID   uuid.UUID
	email    *string // nil if there is no confirmed address
	name     string
	language locale.Language
	prefs    notification.Prefs
	devices  []device
}

type device struct {
	id, token string
}

// The channels in notification_deliveries.
const (
	byMail = "mail"
	byPush = "push"
)

// deliverNotification delivers a notification once by mail and once to each device,
// where the reader's preferences allow it. All deliveries run at the same time.
func (w *Worker) deliverNotification(ctx context.Context, id uuid.UUID) error {
	it, err := w.readItem(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // the notification or the account was deleted
	}
	if err != nil {
		return err
	}
	title, body := notification.Text(it.language, it.typ, it.params)
	var wg sync.WaitGroup
	failures := make([]error, 1+len(it.devices))
	if it.email != nil {
		wg.Go(func() {
			failures[0] = w.deliverOnce(ctx, it, byMail, "", it.prefs.Mail(it.typ), func(ready handOver) error {
				return w.mailer.Send(ctx, renderNotification(it, title, body), ready)
			})
		})
	}
	for i, d := range it.devices {
		wg.Go(func() { failures[i+1] = w.push(ctx, it, d, title, body) })
	}
	wg.Wait()
	return errors.Join(failures...)
}

// push delivers to one device. It removes the token of a device that no longer exists.
func (w *Worker) push(ctx context.Context, it item, d device, title, body string) error {
	if w.pusher == nil {
		return nil
	}
	return w.deliverOnce(ctx, it, byPush, d.id, it.prefs.PushTo(it.typ), func(ready handOver) error {
		err := w.pusher.Push(ctx, Push{Token: d.token, Title: title, Body: body, Data: it.data()}, ready)
		if err == nil || kindOf(err) != Gone {
			return err
		}
		const remove = `UPDATE devices SET fcm_token = NULL, updated_at = now() WHERE user_id = $1 AND device_id = $2 AND fcm_token = $3`
		if _, dbErr := w.db.Exec(ctx, remove, it.userID, d.id, d.token); dbErr != nil {
			w.log.WarnContext(ctx, "push token not removed", "error", dbErr)
		}
		w.metrics.Add(catalog.PushTokenDropped)
		return err
	})
}

// readItem returns pgx.ErrNoRows if the notification does not exist, or if the account
// is deleted or suspended.
func (w *Worker) readItem(ctx context.Context, id uuid.UUID) (item, error) {
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

// data is what the app reads when a person taps the push message.
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

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
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// notice is a notification and its reader.
type notice struct {
	id       uuid.UUID
	typ      notification.Type
	reportID *uuid.UUID
	params   map[string]string
	removed  bool // notification.CommentRemovedSQL: there is nothing to deliver
	userID   uuid.UUID
	email    *string // nil if there is no confirmed address
	name     string
	language locale.Language
	prefs    notification.Prefs
	role     identity.Role
	author   bool // of the report
	follows  bool // the report, or reported the same problem
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
	n, err := w.readNotice(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // the notification or the account was deleted
	}
	if err != nil {
		return err
	}
	title, body := notification.Text(n.language, n.typ, n.params)
	var wg sync.WaitGroup
	failures := make([]error, 1+len(n.devices))
	if n.email != nil {
		wg.Go(func() { failures[0] = w.mail(ctx, n, title, body) })
	}
	for i, d := range n.devices {
		wg.Go(func() { failures[i+1] = w.push(ctx, n, d, title, body) })
	}
	wg.Wait()
	return errors.Join(failures...)
}

// mail delivers by mail. Mails about comments are gathered. What an administrator announces to everybody is not mailed.
func (w *Worker) mail(ctx context.Context, n notice, title, body string) error {
	wants := n.prefs.Mail(n.typ) && (n.typ != notification.Announcement || n.params[notification.ParamAnnouncement] != "")
	if wants && n.typ == notification.CommentAdded && n.reportID != nil {
		return w.mailComment(ctx, n)
	}
	return w.deliverOnce(ctx, n, byMail, "", wants && !n.removed, func(ready handOver) error {
		work, err := w.workOf(ctx, n)
		if err != nil {
			return &Failure{Kind: Delayed, Code: "database"}
		}
		return w.mailer.Send(ctx, w.renderNotification(n, title, body, work), ready)
	})
}

// workOf returns the report of a notification whose reader has to work on it, or to find an agency for it; else nil.
func (w *Worker) workOf(ctx context.Context, n notice) (*card, error) {
	if n.reportID == nil || n.reader() != readsOfficial && !n.findsAgency() {
		return nil, nil
	}
	found, err := w.readCards(ctx, []uuid.UUID{*n.reportID}, false)
	if err != nil {
		return nil, err
	}
	if c, ok := found[*n.reportID]; ok {
		return &c, nil
	}
	return nil, nil
}

// readership says why somebody gets a mail: "mail.footer.<readership>" is the footer that says it.
type readership string

// The readers of notifications.
const (
	readsReporter  readership = "reporter"
	readsFollower  readership = "follower"
	readsOfficial  readership = "official" // has to work on the report
	readsModerator readership = "moderator"
	readsAlerts    readership = "alerts"
	readsAccount   readership = "account" // no report
)

// reader says why the reader of a notification gets it.
func (n notice) reader() readership {
	variant := notification.Variant(n.params[notification.ParamVariant])
	switch {
	case n.reportID == nil:
		return readsAccount
	case n.findsAgency():
		return readsModerator
	case n.typ == notification.Alert:
		return readsAlerts
	case variant == notification.ToYou || variant == notification.ToYourAgency:
		return readsOfficial
	case n.author:
		return readsReporter
	case n.follows:
		return readsFollower
	case n.role == identity.Official:
		return readsOfficial
	case n.role.IsStaff():
		return readsModerator
	}
	return readsFollower
}

// findsAgency reports whether the reader has to choose another agency for the report.
func (n notice) findsAgency() bool {
	variant := notification.Variant(n.params[notification.ParamVariant])
	return n.typ == notification.ReportAssigned && (variant == notification.FindAgency || variant == notification.FindAgencySuggested)
}

// push delivers to one device. It removes the token of a device that no longer exists.
func (w *Worker) push(ctx context.Context, n notice, d device, title, body string) error {
	if w.pusher == nil {
		return nil
	}
	return w.deliverOnce(ctx, n, byPush, d.id, n.prefs.PushTo(n.typ) && !n.removed, func(ready handOver) error {
		err := w.pusher.Push(ctx, Push{Token: d.token, Title: title, Body: body, Data: n.data(w.links)}, ready)
		if err == nil || kindOf(err) != Gone {
			return err
		}
		const remove = `UPDATE devices SET fcm_token = NULL, updated_at = now() WHERE user_id = $1 AND device_id = $2 AND fcm_token = $3`
		if _, dbErr := w.db.Exec(ctx, remove, n.userID, d.id, d.token); dbErr != nil {
			w.log.WarnContext(ctx, "push token not removed", "error", dbErr)
		}
		w.metrics.Add(catalog.PushTokenDropped)
		return err
	})
}

// readNotice returns pgx.ErrNoRows if the notification does not exist, or if the account
// is deleted or suspended.
func (w *Worker) readNotice(ctx context.Context, id uuid.UUID) (notice, error) {
	const q = `
		SELECT n.id, n.type, n.report_id, ` + notification.ParamsSQL + `, ` + notification.CommentRemovedSQL + `, u.id, CASE WHEN u.email_verified_at IS NOT NULL THEN u.email::text END,
		       u.full_name, u.preferred_language, u.notification_prefs, u.role, coalesce(r.user_id = u.id, false),
		       EXISTS (SELECT FROM report_follows f WHERE f.report_id = n.report_id AND f.user_id = u.id)
		       OR EXISTS (SELECT FROM report_followers f WHERE f.report_id = n.report_id AND f.user_id = u.id)
		FROM notifications n JOIN users u ON u.id = n.user_id LEFT JOIN reports r ON r.id = n.report_id
		WHERE n.id = $1 AND u.deleted_at IS NULL AND u.suspended_at IS NULL`
	var n notice
	var params, prefs []byte
	var language string
	err := w.db.QueryRow(ctx, q, id).Scan(&n.id, &n.typ, &n.reportID, &params, &n.removed, &n.userID, &n.email, &n.name, &language, &prefs, &n.role, &n.author, &n.follows)
	if err != nil {
		return notice{}, fmt.Errorf("read notification: %w", err)
	}
	if err := json.Unmarshal(params, &n.params); err != nil {
		return notice{}, fmt.Errorf("read notification: %w", err)
	}
	n.language, _ = locale.Parse(language)
	n.prefs = notification.ParsePrefs(prefs)
	n.devices, err = w.readDevices(ctx, n.userID)
	return n, err
}

// readDevices returns the devices whose session is valid: the session that registered the device. No other code decides
// which devices get push messages. So a device gets none once its session has ended for any reason.
//
// A function of an earlier version registered a device without its session. Such a device counts as signed in while a
// session that named it at sign-in is valid; where no session named it, while any session of the account is.
func (w *Worker) readDevices(ctx context.Context, user uuid.UUID) ([]device, error) {
	const q = `
		SELECT d.device_id, d.fcm_token FROM devices d
		WHERE d.user_id = $1 AND d.fcm_token IS NOT NULL AND EXISTS (
			SELECT FROM sessions s WHERE s.user_id = d.user_id AND s.revoked_at IS NULL AND s.expires_at > $2
			AND CASE WHEN d.session_id IS NOT NULL THEN s.id = d.session_id
				ELSE s.device_id = d.device_id OR NOT EXISTS (
					SELECT FROM sessions o WHERE o.user_id = d.user_id AND o.device_id = d.device_id) END)
		ORDER BY d.updated_at DESC LIMIT 20`
	rows, err := w.db.Query(ctx, q, user, w.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (device, error) {
		var d device
		err := row.Scan(&d.id, &d.token)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	return found, nil
}

// data is what the app reads when a person taps the push message. The link is relative where PUBLIC_BASE_URL is not set.
func (n notice) data(links weblink.Base) map[string]string {
	out := map[string]string{"notification_id": n.id.String(), "type": string(n.typ)}
	if n.reportID != nil {
		out["report_id"] = n.reportID.String()
	}
	for _, name := range []string{notification.ParamReportNumber, notification.ParamStatus} {
		if v := n.params[name]; v != "" {
			out[name] = v
		}
	}
	if number := n.params[notification.ParamReportNumber]; number != "" {
		out["link"] = links.Report(number)
	}
	return out
}

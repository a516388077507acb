// Package digest is the function that sends the daily mails, at 07:30 in Dili. One tells an official or a moderator what waits for
// them. The other tells a person what happened at the places of their alerts.
//
// A row of daily_mails says that a person got the mail of a day. It is written in the transaction that sends the mail. So a run
// may be repeated, run twice at the same time, and be interrupted anywhere: nobody gets a second mail, and the next run of the
// same morning goes on where this one ended.
package digest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/start"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Config of the function.
type Config struct {
	Seal seal.Config
}

// Digest sends the daily mails.
type Digest struct {
	db      *database.DB
	outbox  *outbox.Outbox
	sealer  *seal.Sealer
	clock   timestamp.Clock
	log     *slog.Logger
	metrics *telemetry.Metrics
}

// Open makes the function.
func Open(ctx context.Context, env config.Env) (start.Scheduled, error) {
	kit, err := service.Open(ctx, "digest", env)
	if err != nil {
		return nil, err
	}
	return newDigest(kit)
}

func newDigest(kit *service.Kit) (*Digest, error) {
	cfg, err := config.Parse[Config](kit.Env)
	if err != nil {
		return nil, fmt.Errorf("open digest: %w", err)
	}
	sealer, err := seal.New(cfg.Seal)
	if err != nil {
		return nil, fmt.Errorf("open digest: %w", err)
	}
	return &Digest{db: kit.DB, outbox: kit.Outbox, sealer: sealer, clock: kit.Clock, log: kit.Log, metrics: kit.Metrics}, nil
}

// Run implements start.Scheduled.
func (d *Digest) Run(ctx context.Context, _ events.EventBridgeEvent) error {
	began := d.clock.Now()
	toStaff, err := d.mailStaff(ctx)
	toAlerts, err2 := d.mailAlerts(ctx)
	d.log.InfoContext(ctx, "daily mails sent", "staff", toStaff, "alerts", toAlerts)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	d.metrics.Put(catalog.DigestDuration, float64(d.clock.Now().Sub(began).Milliseconds()))
	return nil
}

// reader is a person who wants a daily mail.
type reader struct {
	ID       uuid.UUID
	Email    string
	Language string
}

// wantsSQL is true for a person u who can get the mail $1 and wants it, and did not get it on the day $2.
const wantsSQL = `u.deleted_at IS NULL AND u.suspended_at IS NULL AND u.email IS NOT NULL AND u.email_verified_at IS NOT NULL
	AND NOT coalesce(u.notification_prefs -> 'muted' ? $1, false) AND coalesce(u.notification_prefs -> 'email', 'true') <> 'false'
	AND NOT EXISTS (SELECT FROM daily_mails m WHERE m.user_id = u.id AND m.kind = $1 AND m.day = $2)`

// people is how many persons one statement reads.
const people = 500

// today is the present day in Dili.
func (d *Digest) today() time.Time {
	y, m, day := d.clock.Now().In(report.Zone()).Date()
	return time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
}

// send sends a daily mail and records it, unless the person has it. until is the instant up to which it tells of events. It
// reports whether this call sent it.
func (d *Digest) send(ctx context.Context, kind notification.DailyMail, to reader, until time.Time, m mail.Message) (bool, error) {
	m.To, m.Template, m.Stop = to.Email, mail.Template(kind), mail.Stop{Kind: mail.StopKind(kind), ID: to.ID}
	m.Language, _ = locale.Parse(to.Language)
	sealed, err := mail.Seal(d.sealer, m)
	if err != nil {
		return false, err
	}
	sent := false
	err = d.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const q = `INSERT INTO daily_mails (user_id, kind, day, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
		tag, err := tx.Exec(ctx, q, to.ID, string(kind), d.today(), until)
		if err != nil {
			return fmt.Errorf("record daily mail: %w", err)
		}
		if sent = tag.RowsAffected() > 0; !sent {
			return nil
		}
		return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Mail: sealed})
	})
	return sent, err
}

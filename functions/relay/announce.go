package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/outbox"
)

const (
	// announcedAtOnce is how many persons one statement looks at.
	announcedAtOnce = 2000
	// announcedARun bounds the statements of a run.
	announcedARun = 100
	// pushesAMinute is how many push messages of announcements are sent in a minute. The notify worker keeps up with that, so that
	// no code for signing in waits behind them.
	pushesAMinute = 2000
)

// openAnnouncementSQL locks the oldest announcement that has not reached everybody. One that another run works on is left out.
const openAnnouncementSQL = `SELECT id, coalesce(sent_to, '00000000-0000-0000-0000-000000000000') FROM announcements
	WHERE finished_at IS NULL ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`

// announceSQL tells the next $3 persons after $2 of the announcement $1, each once, and moves its cursor. Who has a device is also
// pushed to: $5 messages were added before by this run, and $6 are sent in a minute. It returns how many messages it added. An
// announcement to a municipality is for whoever has a report or an alert there; none is for accounts that are newer than itself.
const announceSQL = `
	WITH part AS MATERIALIZED (SELECT u.id, u.created_at, u.deleted_at FROM users u WHERE u.id > $2 ORDER BY u.id LIMIT $3),
	told AS (
		INSERT INTO notifications (id, user_id, type, event_key, params)
		SELECT gen_random_uuid(), p.id, 'announcement', 'announcement:' || a.id, '{}' FROM part p JOIN announcements a ON a.id = $1
		WHERE p.deleted_at IS NULL AND p.created_at <= a.created_at AND (a.municipality_code IS NULL
			OR EXISTS (SELECT FROM reports r WHERE r.user_id = p.id AND r.municipality_code = a.municipality_code AND r.deleted_at IS NULL)
			OR EXISTS (SELECT FROM alerts l WHERE l.user_id = p.id AND (l.municipality_code = a.municipality_code
				OR EXISTS (SELECT FROM boundaries b WHERE b.level = 'municipality' AND b.code = a.municipality_code
					AND ST_Covers(b.area, ST_SetSRID(ST_MakePoint(l.longitude, l.latitude), 4326))))))
		ON CONFLICT (user_id, event_key) DO NOTHING RETURNING id, user_id),
	pushed AS (
		INSERT INTO outbox (id, queue, body, created_at, not_before)
		SELECT gen_random_uuid(), 'notify', jsonb_build_object('notification_id', m.id), m.due, m.due FROM (
			SELECT t.id, now() + interval '1 minute' * (($5 + row_number() OVER ()) / $6) AS due FROM told t
			WHERE EXISTS (SELECT FROM devices d WHERE d.user_id = t.user_id AND d.fcm_token IS NOT NULL)) m
		RETURNING id)
	UPDATE announcements SET sent_to = coalesce((SELECT id FROM part ORDER BY id DESC LIMIT 1), sent_to), sent_count = sent_count + (SELECT count(*) FROM told),
		finished_at = CASE WHEN (SELECT count(*) FROM part) < $3 THEN $4::timestamptz END
	WHERE id = $1 RETURNING (SELECT count(*) FROM pushed)`

// announce tells people of announcements, in parts. A run that dies has told whole parts, and the next one goes on behind them.
func (r *Relay) announce(ctx context.Context) error {
	pushes := 0
	for range announcedARun {
		added := 0
		err := r.outbox.Do(ctx, func(tx *outbox.Tx) error {
			var id, last uuid.UUID
			if err := tx.QueryRow(ctx, openAnnouncementSQL).Scan(&id, &last); err != nil {
				return err
			}
			return tx.QueryRow(ctx, announceSQL, id, last, announcedAtOnce, r.clock.Now(), pushes, pushesAMinute).Scan(&added)
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("announce: %w", err)
		}
		pushes += added
	}
	return nil
}

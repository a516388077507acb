package relay

import (
	"context"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/storage"
)

// A backlog after an outage is worked off by several runs, so that no run is longer than
// its function may take and no statement holds the locks of a whole table.
func TestOneRunDoesABoundedAmountOfWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, ai_status, created_at, geocoded_at)
		SELECT gen_random_uuid(), 'LS-' || n, $1, '', 'pothole', -8.55, 125.57, 'queued', now() - interval '2 days', now()
		FROM generate_series(1, 101) n`, b.person)
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at)
		SELECT gen_random_uuid(), $1, 'originals/' || n, 'image/jpeg', 1, 'stored', now() - interval '1 day' FROM generate_series(1, 101) n`, b.person)
	b.exec(`INSERT INTO idempotency_keys (owner, key, request_hash, locked_until, created_at)
		SELECT 'a', n::text, '', now(), now() - interval '3 days' FROM generate_series(1, 5001) n`)
	for run, want := range []struct{ woken, uploads, keys int }{{100, 1, 1}, {1, 0, 0}} {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		if n := len(b.received(queue.Validate)); n != want.woken {
			t.Errorf("run %d woke %d reports, want %d", run, n, want.woken)
		}
		if n := b.count(`SELECT count(*) FROM uploads`); n != want.uploads {
			t.Errorf("run %d left %d expired uploads, want %d", run, n, want.uploads)
		}
		if n := b.count(`SELECT count(*) FROM idempotency_keys`); n != want.keys {
			t.Errorf("run %d left %d expired keys, want %d", run, n, want.keys)
		}
	}
}

// Expiry neither waits for a request nor makes one wait for it.
func TestExpirySkipsRowsThatARequestHasLocked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO idempotency_keys (owner, key, request_hash, locked_until, created_at)
		VALUES ('a', 'locked', '', now(), now() - interval '3 days'), ('a', 'free', '', now(), now() - interval '3 days')`)
	request, err := b.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = request.Rollback(t.Context()) }()
	if _, err := request.Exec(t.Context(), `SELECT FROM idempotency_keys WHERE key = 'locked' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	if err := b.relay.expireRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM idempotency_keys WHERE key = 'locked'`); n != 1 {
		t.Error("the locked row is gone")
	}
	if n := b.count(`SELECT count(*) FROM idempotency_keys`); n != 1 {
		t.Errorf("%d rows left, want the locked one alone", n)
	}
}

func TestOneRunSendsFiftyBatchesOfTheOutboxAtMost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO outbox (id, queue, body, created_at, not_before)
		SELECT gen_random_uuid(), 'notify', '{}', now() - interval '1 hour', now() - interval '1 hour' FROM generate_series(1, 5001) n`)
	if err := b.relay.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM outbox`); n != 1 {
		t.Errorf("%d messages left, want 1", n)
	}
}

func TestRowsAreDeletedWhenTheirRetentionEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	session := database.NewID()
	b.exec(`INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, now() + interval '1 year')`, session, b.person)
	b.exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude)
		SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'LS-' || n, $1, '', 'pothole', -8.55, 125.57 FROM generate_series(1, 2) n`, b.person)
	for _, c := range []struct{ table, kept, deleted string }{
		{"comment_mails (user_id, report_id, begun_at)", `$1, '00000000-0000-7000-8000-000000000001', now() - interval '23 hours'`,
			`$1, '00000000-0000-7000-8000-000000000002', now() - interval '25 hours'`},
		{"idempotency_keys (key, owner, request_hash, locked_until, created_at)",
			`'kept', '', '', now(), now() - interval '47 hours'`, `'deleted', '', '', now(), now() - interval '49 hours'`},
		{"login_challenges (id, user_id, expires_at)",
			`gen_random_uuid(), $1, now() - interval '23 hours'`, `gen_random_uuid(), $1, now() - interval '25 hours'`},
		{"login_failures (subject_hmac, failures, first_at, locked_until)",
			`'kept', 9, now() - interval '6 days', NULL`, `'deleted', 9, now() - interval '8 days', now() - interval '8 days'`},
		{"refresh_tokens (token_hash, session_id, expires_at)",
			`'kept', $2, now() - interval '23 hours'`, `'deleted', $2, now() - interval '25 hours'`},
		{"sessions (id, user_id, expires_at, revoked_at)",
			`gen_random_uuid(), $1, now() + interval '1 day', now() - interval '29 days'`,
			`gen_random_uuid(), $1, now() + interval '1 day', now() - interval '31 days'`},
		{"one_time_codes (id, address_hmac, purpose, code_hmac, expires_at)",
			`gen_random_uuid(), '', 'registration', '', now() - interval '167 hours'`,
			`gen_random_uuid(), '', 'registration', '', now() - interval '169 hours'`},
		{"ai_days (account, pictures, day)", `gen_random_uuid(), 1, now() - interval '2 days'`, `gen_random_uuid(), 1, now() - interval '5 days'`},
		{"ai_pictures (image_id, day)", `gen_random_uuid(), now() - interval '2 days'`, `gen_random_uuid(), now() - interval '5 days'`},
		{"message_starts (message_id, starts, noted_at)", `'kept', 1, now() - interval '14 days'`, `'deleted', 1, now() - interval '16 days'`},
		{"rate_limits (key_hmac, full_at)", `'kept', now() + interval '1 minute'`, `'deleted', now() - interval '1 minute'`},
	} {
		table, _, _ := strings.Cut(c.table, " ")
		before := b.count(`SELECT count(*) FROM ` + table)
		for _, row := range []string{c.kept, c.deleted} {
			row = strings.ReplaceAll(strings.ReplaceAll(row, "$1", "'"+b.person.String()+"'"), "$2", "'"+session.String()+"'")
			b.exec(`INSERT INTO ` + c.table + ` VALUES (` + row + `)`)
		}
		if err := b.relay.expireRows(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := b.count(`SELECT count(*) FROM `+table) - before; n != 1 {
			t.Errorf("%s: %d of the two rows are left, want the younger one", table, n)
		}
	}
}

// An attacker does not get new guesses by the deletion of old failures.
func TestALockoutOutlivesTheAgeOfItsFirstFailure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`INSERT INTO login_failures VALUES ('locked', 11, now() - interval '8 days', now() + interval '10 minutes')`)
	if err := b.relay.expireRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM login_failures`); n != 1 {
		t.Error("the lockout was deleted")
	}
}

// A request may attach a picture between the moment when relay finds it
// expired and the moment when relay deletes its row.
func TestAnUploadAttachedDuringItsExpiryKeepsItsRow(t *testing.T) {
	t.Parallel()
	for name, attach := range map[string]string{
		"as an avatar":           `UPDATE uploads SET attached_at = now() WHERE id = $1`,
		"as a report's evidence": `INSERT INTO report_images (id, report_id, upload_id) SELECT gen_random_uuid(), id, $1 FROM reports`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.report("queued", "1 minute")
			id := b.upload("processed", "", "-2 hours")
			b.relay.objects = deleteHook{func() { b.exec(attach, id) }}
			if err := b.relay.expireUploads(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := b.count(`SELECT count(*) FROM uploads WHERE id = $1`, id); n != 1 {
				t.Error("the row of an attached picture was deleted")
			}
		})
	}
}

// deleteHook calls first instead of deleting an original, and does nothing for other keys.
type deleteHook struct{ first func() }

// DeleteVersions implements Objects.
func (h deleteHook) DeleteVersions(ctx context.Context, key string) error { return h.Delete(ctx, key) }

// Delete implements Objects.
func (h deleteHook) Delete(_ context.Context, key string) error {
	if strings.HasPrefix(key, storage.Originals) {
		h.first()
	}
	return nil
}

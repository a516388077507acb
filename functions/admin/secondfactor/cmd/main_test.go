package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

func TestTheOperatorResetsTheSecondFactorOfTheLastAdministrator(t *testing.T) {
	t.Parallel()
	address := testdb.URL(t)
	db, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	keys := seal.Config{Keys: []string{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))}}
	env := config.Env{"DATABASE_URL": testdb.AppURL(address), "SEAL_KEYS": keys.Keys[0], "AWS_REGION": "ap-southeast-2"}
	signer := identitytest.New(t)
	boss, other := signer.SignIn(db, identity.Admin), signer.SignIn(db, identity.Moderator)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []identitytest.Person{boss, other} {
		exec(`UPDATE users SET totp_secret = 'secret', totp_confirmed_at = now() WHERE id = $1`, p.ID)
		exec(`INSERT INTO recovery_codes (user_id, code_hmac) VALUES ($1, 'code')`, p.ID)
	}
	for _, wrong := range []struct {
		email, reason string
		want          error
	}{{"", "lost", errArguments}, {boss.Email, " ", errArguments}, {"nobody@example.tl", "lost", errNobody}} {
		if err := reset(t.Context(), env, wrong.email, wrong.reason); !errors.Is(err, wrong.want) {
			t.Errorf("%q, %q: %v, want %v", wrong.email, wrong.reason, err, wrong.want)
		}
	}
	if err := reset(t.Context(), env, boss.Email, "The phone fell into the sea"); err != nil {
		t.Fatal(err)
	}
	if err := reset(t.Context(), env, boss.Email, "Again"); !errors.Is(err, errNone) {
		t.Errorf("the second time: %v", err)
	}
	var left string
	const q = `SELECT string_agg(role || ' ' || (totp_secret IS NOT NULL) || ' ' || (SELECT count(*) FROM recovery_codes WHERE user_id = u.id) || ' ' ||
		(SELECT count(*) FROM sessions WHERE user_id = u.id AND revoked_at IS NULL), ', ' ORDER BY role) FROM users u`
	if err := db.QueryRow(t.Context(), q).Scan(&left); err != nil || left != "admin false 0 0, moderator true 1 1" {
		t.Errorf("left: %s (%v)", left, err)
	}
	var entry string
	const log = `SELECT actor_role || coalesce(actor_id::text, '') || ' ' || (after ->> 'reason') FROM audit_log WHERE action = 'second_factor.reset'`
	if err := db.QueryRow(t.Context(), log).Scan(&entry); err != nil || entry != "system The phone fell into the sea" {
		t.Errorf("audit log: %q (%v)", entry, err)
	}
	var m queue.NotifyMessage
	if err := db.QueryRow(t.Context(), `SELECT body FROM outbox WHERE queue = 'notify'`).Scan(&m); err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	if sent, err := mail.Open(sealer, m.Mail); err != nil || sent.To != boss.Email || sent.Template != mail.SecondFactorReset {
		t.Errorf("mail: %+v (%v)", sent, err)
	}
}

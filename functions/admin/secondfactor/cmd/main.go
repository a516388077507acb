// Command cmd takes the second factor of a person away. It is for the last administrator, whom no other one can help:
// make reset-second-factor EMAIL=… REASON=…. The person is mailed, and signs in with the password to set up a new one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/admin/secondfactor"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/service"
)

func main() {
	email := flag.String("email", "", "address of the person")
	reason := flag.String("reason", "", "why; the audit log keeps it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err == nil {
		err = reset(ctx, env, *email, *reason)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reset-second-factor:", err)
		os.Exit(1)
	}
	fmt.Println("The second factor is gone. The person signs in with the password and sets up a new one; a mail says so.")
}

// Errors of reset.
var (
	errArguments = errors.New("give EMAIL and REASON")
	errNobody    = errors.New("no account has this address")
	errNone      = errors.New("this account has no second factor")
)

func reset(ctx context.Context, env config.Env, email, reason string) error {
	address, ok := mail.ParseAddress(email)
	reason = strings.TrimSpace(reason)
	if !ok || reason == "" {
		return errArguments
	}
	keys, err := config.Parse[seal.Config](env)
	if err != nil {
		return err
	}
	sealer, err := seal.New(keys)
	if err != nil {
		return err
	}
	kit, err := service.Open(ctx, "reset-second-factor", env)
	if err != nil {
		return err
	}
	defer kit.Close()
	resetter := secondfactor.Resetter{Sealer: sealer, Revoker: kit.Revoker(), Clock: kit.Clock}
	return kit.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		person, err := find(ctx, tx, address)
		if err != nil {
			return err
		}
		return resetter.Reset(ctx, tx, person, reason)
	})
}

// find locks the account of an address that has a second factor.
func find(ctx context.Context, tx *outbox.Tx, address string) (secondfactor.Person, error) {
	p := secondfactor.Person{Email: address}
	var on bool
	const q = `
		SELECT id, preferred_language, totp_confirmed_at IS NOT NULL FROM users WHERE email = $1 AND deleted_at IS NULL FOR UPDATE`
	err := tx.QueryRow(ctx, q, address).Scan(&p.ID, &p.Language, &on)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, errNobody
	case err != nil:
		return p, fmt.Errorf("read person: %w", err)
	case !on:
		return p, errNone
	}
	return p, nil
}

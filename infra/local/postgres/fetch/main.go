// Command fetch installs PostgreSQL where it is missing. The Makefile runs it while the compiler builds the programs that
// need PostgreSQL. It reports no failure: those programs try again and report it.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/lafaekstreet/backend/infra/local/postgres"
)

func main() {
	if os.Getenv("DATABASE_URL") != "" {
		return
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if _, err := postgres.FindBinaries(ctx, ".run/pg", os.Stdout); err != nil {
		return
	}
}

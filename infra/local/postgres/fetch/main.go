// Command fetch gets PostgreSQL where it is missing, while the compiler is still at work on what will use it. It stays
// silent on failure: whoever needs the server tries again and says what is wrong.
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

package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// printer is a sender that prints what would go to SQS.
type printer struct{}

func (printer) Knows(queue.Name) bool { return true }

func (printer) Send(_ context.Context, name queue.Name, messages []queue.Outgoing) ([]uuid.UUID, error) {
	var sent []uuid.UUID
	for _, m := range messages {
		fmt.Printf("to %s: %s\n", name, m.Body)
		sent = append(sent, m.ID)
	}
	return sent, nil
}

// A message is stored in the transaction of the change that it is about, and goes out after the commit. Where the
// transaction fails, the message is gone with the change.
func ExampleOutbox_Do() {
	ctx := context.Background()
	address, drop, err := testdb.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = drop() }()
	db, err := database.Open(ctx, database.Config{URL: testdb.AppURL(address), MaxConns: 2, ExecMode: "cache_statement"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	o := outbox.New(db, printer{}, slog.New(slog.DiscardHandler))
	change := func(name string, failure error) error {
		return o.Do(ctx, func(tx *outbox.Tx) error {
			if err := tx.Send(ctx, queue.Notify, map[string]string{"about": name}); err != nil {
				return err
			}
			fmt.Println("change", name)
			return failure // nil commits
		})
	}
	fmt.Println("error:", change("a", nil))
	fmt.Println("error:", change("b", errors.New("no such report")))
	// Output:
	// change a
	// to notify: {"about":"a"}
	// error: <nil>
	// change b
	// error: no such report
}

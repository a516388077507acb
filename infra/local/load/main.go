// Command load simulates users at a steady rate. With -chaos it makes parts of the system fail. Then it checks that every
// accepted write exists exactly once. See the README's "Test it".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lafaekstreet/backend/infra/local/simulation"
)

const setupToken = "local-admin-setup"

type options struct {
	url, dir string
	port     int
	duration time.Duration
	settle   time.Duration
	rate     float64
	people   int
	chaos    bool
	seed     uint64
}

func main() { os.Exit(run()) }

func run() int {
	var o options
	flag.StringVar(&o.url, "url", "", "a local system that already runs, with its settings in the environment; empty starts one")
	flag.StringVar(&o.dir, "dir", ".run/load", "folder of the system that it starts")
	flag.IntVar(&o.port, "port", 8600, "port of the system that it starts")
	flag.DurationVar(&o.duration, "duration", time.Minute, "how long the users work")
	flag.DurationVar(&o.settle, "settle", 10*time.Minute, "how long workers may need afterwards")
	flag.Float64Var(&o.rate, "rate", 4, "actions a second")
	flag.IntVar(&o.people, "people", 20, "citizens")
	flag.BoolVar(&o.chaos, "chaos", false, "make one part after another fail meanwhile")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the random actions")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := drive(ctx, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "load:", err)
		return 2
	case !ok:
		return 1
	}
	return 0
}

// drive reports whether everything that was accepted exists exactly once.
func drive(ctx context.Context, o options) (bool, error) {
	var own *ownSystem
	if o.url == "" {
		var err error
		if own, err = startOwnSystem(ctx, o); err != nil {
			return false, err
		}
		defer own.stop()
		o.url = own.url()
	} else if o.chaos {
		return false, errors.New("-chaos needs a system that load starts itself: leave out -url")
	}
	users, err := simulation.SignUp(ctx, o.url, setupToken, o.people, o.seed)
	if err != nil {
		return false, fmt.Errorf("prepare: %w", err)
	}
	receiver, err := users.AddWebhook(ctx, o.seed)
	if err != nil {
		return false, fmt.Errorf("prepare: %w", err)
	}
	defer receiver.Close()
	if err := users.AddAlerts(ctx); err != nil {
		return false, fmt.Errorf("prepare: %w", err)
	}
	say("%d citizens and an administrator do %.1f actions a second for %s", o.people, o.rate, o.duration)
	working, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	chaos := make(chan error, 1)
	go func() {
		if o.chaos {
			chaos <- own.chaos(working, receiver)
			return
		}
		chaos <- nil
	}()
	users.Run(working, o.rate)
	if err := <-chaos; err != nil {
		return false, fmt.Errorf("chaos: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	receiver.Calm()
	say("no new actions; waiting for those in progress")
	if err := users.Wait(ctx); err != nil {
		return false, err
	}
	env := environment()
	if own != nil {
		if env, err = own.settings(); err != nil {
			return false, err
		}
	}
	a, err := simulation.NewReconciliation(ctx, env, users, os.Stdout)
	if err != nil {
		return false, err
	}
	defer a.Close()
	if err := settle(ctx, a, o.settle); err != nil {
		return false, err
	}
	if err := users.SendDailyMails(ctx); err != nil {
		return false, err
	}
	if err := settle(ctx, a, o.settle); err != nil {
		return false, err
	}
	if own != nil {
		a.Mails = own.mails(o.people)
	}
	return a.Reconcile(ctx)
}

// settle waits until no work is pending, at most as long as most.
func settle(ctx context.Context, a *simulation.Reconciliation, most time.Duration) error {
	began := time.Now()
	quiet := 0
	for {
		pending, err := a.Pending(ctx)
		if err != nil {
			return err
		}
		if pending == "" {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 3 { // a message between two queues is not counted for a moment
			say("all work was finished after %s", time.Since(began).Round(time.Second))
			return nil
		}
		if time.Since(began) > most {
			a.AddDifference("after %s there are still %s", most, pending)
			return nil
		}
		if pending != "" && int(time.Since(began).Seconds())%20 < 2 {
			say("  still %s", pending)
		}
		pause(ctx, 2*time.Second)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// say prints a line with the time.
func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().UTC().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// Command load files, reads and works on reports at a steady rate, breaks what is below it when told to, and then gives
// an account of every write that was accepted. See the README's "Test it".
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
	flag.StringVar(&o.url, "url", "", "a local system that runs already (its settings in the environment); empty starts one")
	flag.StringVar(&o.dir, "dir", ".run/load", "where a system of its own keeps its state")
	flag.IntVar(&o.port, "port", 8600, "where a system of its own answers")
	flag.DurationVar(&o.duration, "duration", time.Minute, "how long to go on")
	flag.DurationVar(&o.settle, "settle", 10*time.Minute, "the most that work under way may take afterwards")
	flag.Float64Var(&o.rate, "rate", 4, "actions a second")
	flag.IntVar(&o.people, "people", 20, "citizens")
	flag.BoolVar(&o.chaos, "chaos", false, "break one part after another meanwhile")
	flag.Uint64Var(&o.seed, "seed", 1, "of what is done in which order")
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

// drive reports whether the account is balanced.
func drive(ctx context.Context, o options) (bool, error) {
	var own *stand
	if o.url == "" {
		var err error
		if own, err = startStand(ctx, o); err != nil {
			return false, err
		}
		defer own.stop()
		o.url = own.url()
	} else if o.chaos {
		return false, errors.New("only a system of its own is broken: leave out -url")
	}
	people, err := simulation.Gather(ctx, o.url, setupToken, o.people, o.seed)
	if err != nil {
		return false, fmt.Errorf("prepare: %w", err)
	}
	say("%d citizens and an administrator work for %s at %.1f actions a second", o.people, o.duration, o.rate)
	working, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	broken := make(chan error, 1)
	go func() {
		if o.chaos {
			broken <- own.chaos(working)
			return
		}
		broken <- nil
	}()
	people.Work(working, o.rate)
	if err := <-broken; err != nil {
		return false, fmt.Errorf("chaos: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	say("nothing new any more; every write that is under way is brought to its end")
	if err := people.Finish(ctx); err != nil {
		return false, err
	}
	env := environment()
	if own != nil {
		if env, err = own.settings(); err != nil {
			return false, err
		}
	}
	a, err := simulation.Open(ctx, env, people, os.Stdout)
	if err != nil {
		return false, err
	}
	defer a.Close()
	if err := settle(ctx, a, o.settle); err != nil {
		return false, err
	}
	if own != nil {
		a.Mails = own.mails(o.people)
	}
	return a.Balance(ctx)
}

// settle waits for the work under way, without helping it along, at most as long as told.
func settle(ctx context.Context, a *simulation.Account, most time.Duration) error {
	began := time.Now()
	quiet := 0
	for {
		left, err := a.Left(ctx)
		if err != nil {
			return err
		}
		if left == "" {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 3 { // a message may be between two queues for a moment
			say("everything has come to its end after %s", time.Since(began).Round(time.Second))
			return nil
		}
		if time.Since(began) > most {
			a.Differs("after %s there are still %s", most, left)
			return nil
		}
		if left != "" && int(time.Since(began).Seconds())%20 < 2 {
			say("  still %s", left)
		}
		pause(ctx, 2*time.Second)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// say tells people what happens, with the time.
func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().UTC().Format("15:04:05"), fmt.Sprintf(format, args...))
}

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/lafaek-log/follow"
)

// followOptions are the flags of follow.
type followOptions struct {
	once                     bool
	interval                 time.Duration
	state, keys, csv, places string
	receipts                 []string
	answerDays, quietDays    int
}

func followFlags() (*flag.FlagSet, *followOptions) {
	o := &followOptions{}
	flags := flag.NewFlagSet("follow", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&o.once, "once", false, "do one round and end")
	flags.DurationVar(&o.interval, "interval", time.Minute, "time between two rounds")
	flags.StringVar(&o.state, "state", "lafaek-log.state", "`file` that keeps what was seen")
	flags.StringVar(&o.keys, "keys", "", "`file` with a copy of /log/keys that you trust; without it those of the first round are trusted")
	flags.StringVar(&o.csv, "csv", "", "`file` that gets a row for each entry")
	flags.StringVar(&o.places, "index", "", "`file` that gets a line for each report: its number and its places in the log")
	flags.IntVar(&o.answerDays, "answer-days", 0, "alarm for reports that nobody answered after so many days; 0: none")
	flags.IntVar(&o.quietDays, "quiet-days", 0, "alarm if no entry came for so many days; 0: none")
	flags.Func("receipt", "`file` with a receipt that the log has to honour; may be given again", func(name string) error {
		o.receipts = append(o.receipts, name)
		return nil
	})
	return flags, o
}

// followLog follows a log until it is stopped, or for one round.
func followLog(ctx context.Context, args []string, out, errs io.Writer) (int, error) {
	flags, o := followFlags()
	if err := flags.Parse(args); err != nil {
		return 0, usage(err)
	}
	if flags.NArg() != 1 || !strings.HasPrefix(flags.Arg(0), "http") || o.interval < time.Second {
		return 0, fmt.Errorf("%w: follow takes one address, and an interval of at least a second", errUsage)
	}
	url := strings.TrimSuffix(flags.Arg(0), "/")
	state, err := follow.Load(o.state, url)
	if err != nil {
		return 0, err
	}
	options, table, err := o.open(url, state)
	if err != nil {
		return 0, err
	}
	if table != nil {
		defer func() { _ = table.Close() }() // rows are written one by one
	}
	f := follow.New(options, state)
	code := exitGood
	for {
		found, err := o.round(ctx, f, out, errs)
		if found != exitGood && code != exitBroken {
			code = found
		}
		if err != nil || o.once {
			return code, err
		}
		select {
		case <-ctx.Done():
			return code, nil
		case <-time.After(o.interval):
		}
	}
}

// open reads the files that the flags name.
func (o *followOptions) open(url string, state *follow.State) (follow.Options, *os.File, error) {
	options := follow.Options{URL: url, AnswerDays: o.answerDays, QuietDays: o.quietDays}
	if o.keys != "" {
		text, err := readFile(o.keys, nil)
		if err != nil {
			return options, nil, err
		}
		options.Keys = []byte(text)
	}
	for _, name := range o.receipts {
		text, err := readFile(name, nil)
		if err != nil {
			return options, nil, err
		}
		options.Receipts = append(options.Receipts, text)
	}
	if o.csv == "" {
		return options, nil, nil
	}
	table, err := os.OpenFile(o.csv, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return options, nil, fmt.Errorf("open table: %w", err)
	}
	// Rows after the stored state would come twice.
	info, err := table.Stat()
	if err == nil && info.Size() < state.CSVBytes {
		err = fmt.Errorf("%s lacks rows that the state has; delete %s to begin anew", o.csv, o.state)
	}
	if err == nil {
		err = table.Truncate(state.CSVBytes)
	}
	if err == nil {
		_, err = table.Seek(state.CSVBytes, io.SeekStart)
	}
	options.CSV = table
	if err != nil {
		_ = table.Close() // the other error says more
		return options, nil, fmt.Errorf("open table: %w", err)
	}
	return options, table, nil
}

// round does one round, prints its alarms and stores the state. The error says that nothing can be stored any more.
func (o *followOptions) round(ctx context.Context, f *follow.Follower, out, errs io.Writer) (int, error) {
	code := exitGood
	before := f.State().Next
	alarms, err := f.Round(ctx)
	if err != nil && ctx.Err() == nil {
		code = exitUnproven
		_, _ = fmt.Fprintf(errs, "%s not read: %v\n", time.Now().UTC().Format(time.RFC3339), err)
	}
	for _, a := range alarms {
		code = exitBroken
		_, _ = fmt.Fprintln(out, a)
	}
	s := f.State()
	_, _ = fmt.Fprintf(out, "%s %d entries, %d new, %d alarms\n", time.Now().UTC().Format(time.RFC3339), s.Next, s.Next-before, len(alarms))
	if err := s.Save(o.state); err != nil {
		return code, err
	}
	if o.places == "" || s.Next == before {
		return code, nil
	}
	return code, writePlaces(o.places, s)
}

// writePlaces writes the number and the places of each report.
func writePlaces(path string, s *follow.State) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".lafaek-log-*")
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone after the rename
	err = s.WritePlaces(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

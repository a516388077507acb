// Command lafaek-log checks the public log of reports for somebody who trusts nobody: it judges a receipt without any request,
// and it follows a log.
//
//	go build ./infra/lafaek-log
//	./lafaek-log verify --keys keys.json receipt.txt proof.txt
//	./lafaek-log follow https://lafaekstreet.example
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	exitGood     = 0 // verify: accepted or kept. follow: no alarm
	exitBroken   = 1 // verify: dropped or differs. follow: an alarm
	exitUsage    = 2 // the call makes no sense
	exitUnproven = 3 // verify: unproven. follow: something could not be read
)

const help = `lafaek-log checks the public log of reports. It needs no account and trusts nobody.

  lafaek-log verify --keys KEYS FILE...
      Says whether a receipt was honoured. It makes no request. The first word of the answer is
        accepted   the receipt is genuine; the rest does not say whether it was honoured
        kept       the entry is in the log, at the promised place
        dropped    the log has another entry there, or had none after the promised time
        differs    entry or words are not those of the receipt
        unproven   the receipt cannot be judged; the reason follows
      KEYS is the answer of /log/keys. FILEs are recognised by their form: a receipt (the note alone, or
      JSON with note, payload and salt), proofs, checkpoints, messages of the ledger's mirror node, and
      the report as JSON, as its author gets it. A report with its receipt in it is both. - is the standard input.
      Exit status: 0 accepted or kept, 1 dropped or differs, 3 unproven, 2 wrong call.

  lafaek-log follow [flags] URL
      Reads every entry of the log at URL once, checks that the log only grows, and prints a line that
      begins with ALARM for each broken promise: two histories, missing events or report numbers, time
      that runs back, entries that came late, receipts that are not honoured, reports that the site shows
      and the log lacks, messages of the ledger that do not fit, keys that were changed silently, reports
      without an answer, a log that does not grow. Ctrl-C ends it safely.
      Exit status: 0 no alarm, 1 an alarm, 3 something could not be read, 2 wrong call.

Flags of follow:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	usage := func(w io.Writer) {
		_, _ = io.WriteString(w, help)
		flags, _ := followFlags()
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
	if len(args) == 0 {
		usage(errs)
		return exitUsage
	}
	var code int
	var err error
	switch args[0] {
	case "verify":
		code, err = verify(args[1:], in, out)
	case "follow":
		code, err = followLog(ctx, args[1:], out, errs)
	case "help", "-h", "-help", "--help":
		usage(out)
		return exitGood
	default:
		err = fmt.Errorf("%w: there is no command %q", errUsage, args[0])
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		usage(out)
		return exitGood
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(errs, "lafaek-log: %v\nlafaek-log --help says how it is called.\n", err)
		return exitUsage
	case err != nil:
		_, _ = fmt.Fprintf(errs, "lafaek-log: %v\n", err)
		return exitUnproven
	}
	return code
}

// errUsage reports a call that makes no sense.
var errUsage = errors.New("wrong call")

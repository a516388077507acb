// Command licences lists the licence of every module that is linked into a function. It exits with 1 if a licence asks for
// more than the names of the authors.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	found, err := linked(ctx, "./functions/...")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(2)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	refused := 0
	for _, m := range found {
		note := ""
		if !m.permissive() {
			note = "  NOT PERMISSIVE"
			refused++
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s%s\n", m.Path, m.Version, m.Licence, note)
	}
	_ = out.Flush()
	if refused > 0 {
		os.Exit(1)
	}
}

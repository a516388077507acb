// Command conformance checks a server of Open311 GeoReport v2 against the specification, and prints a table.
// It ends with 1 if a "must" fails, and with 2 if it cannot be run so.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/lafaekstreet/backend/infra/open311"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run checks a server and returns the status with which the command ends.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	o, asJSON, err := readFlags(args, errs)
	if err != nil {
		return 2 // the flag package has said why
	}
	report, err := open311.Run(ctx, o)
	if err == nil {
		err = ctx.Err()
	}
	write := report.WriteTable
	if asJSON {
		write = report.WriteJSON
	}
	if err == nil {
		err = write(out)
	}
	switch {
	case err != nil:
		fmt.Fprintln(errs, err)
		return 2
	case report.Count(open311.Must, open311.Fail) > 0:
		return 1
	}
	return 0
}

// readFlags reads the arguments of the command, and whether it prints JSON.
func readFlags(args []string, errs io.Writer) (open311.Options, bool, error) {
	var o open311.Options
	f := flag.NewFlagSet("conformance", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&o.URL, "url", "", "endpoint: what stands before /services.xml")
	f.StringVar(&o.Discovery, "discovery", "", "address of the discovery document without its ending; the endpoint with /discovery if empty")
	f.StringVar(&o.Jurisdiction, "jurisdiction", "", "jurisdiction_id, if the server serves several")
	f.BoolVar(&o.Write, "write", false, "file a few reports. They are real ones for the city: ask before, or use a test endpoint")
	f.StringVar(&o.APIKey, "api-key", "", "API key, for -write; better in the environment as OPEN311_API_KEY")
	f.StringVar(&o.Service, "service", "", "service_code of the reports that are filed; the first of the list if empty")
	f.StringVar(&o.Lat, "lat", "", "latitude of the reports that are filed, degrees WGS 84; that of an existing request if empty")
	f.StringVar(&o.Long, "long", "", "longitude, likewise")
	f.StringVar(&o.Address, "address", "", "an address_string that the server knows")
	f.StringVar(&o.AddressID, "address-id", "", "an address_id that the server knows")
	f.StringVar(&o.MediaURL, "media-url", "", "address of a picture, to file a report with it")
	f.DurationVar(&o.Pause, "pause", 200*time.Millisecond, "time between two requests")
	f.DurationVar(&o.Timeout, "timeout", 30*time.Second, "time for one request")
	asJSON := f.Bool("json", false, "print JSON instead of a table")
	err := f.Parse(args)
	if o.APIKey == "" {
		o.APIKey = os.Getenv("OPEN311_API_KEY")
	}
	return o, *asJSON, err
}

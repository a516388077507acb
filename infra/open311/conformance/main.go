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

func run(ctx context.Context, args []string, out, errs io.Writer) int {
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
	if err := f.Parse(args); err != nil {
		return 2
	}
	if o.APIKey == "" {
		o.APIKey = os.Getenv("OPEN311_API_KEY")
	}
	report, err := open311.Run(ctx, o)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(errs, err)
		return 2
	}
	write := report.WriteTable
	if *asJSON {
		write = report.WriteJSON
	}
	if err := write(out); err != nil {
		fmt.Fprintln(errs, err)
		return 2
	}
	if report.Count(open311.Must, open311.Fail) > 0 {
		return 1
	}
	return 0
}

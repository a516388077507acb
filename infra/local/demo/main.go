// Command demo tells the whole story over HTTP, against any address: a citizen
// registers, photographs a pothole, reports it, and watches AI and ledger do their part.
//
// Usage: demo [-url http://localhost:8000] [-photo photo.jpg] [-lat …] [-lon …]
//
// The one-time code is read from the console of a local system, else asked for
// on the terminal. DEMO_EMAIL and DEMO_PASSWORD sign in with an account that exists.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	url := flag.String("url", "http://localhost:8000", "where the system answers")
	latitude := flag.Float64("lat", -8.5569, "latitude of the report, degrees WGS 84")
	longitude := flag.Float64("lon", 125.5603, "longitude of the report, degrees WGS 84")
	patience := flag.Duration("patience", 2*time.Minute, "how long to wait for AI and ledger")
	picture := flag.String("photo", "", "a photo to report; a small drawn one when left out")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &story{api: newClient(*url), out: os.Stdout, latitude: *latitude, longitude: *longitude, patience: *patience}
	if err := s.tell(ctx, *picture); err != nil {
		fmt.Fprintf(os.Stderr, "\n  ✗ %v\n", err)
		os.Exit(1)
	}
}

// Command demo plays the story of a report over HTTP against any address: a citizen registers, sends a picture of a
// pothole, reports it, and waits for the AI result and the confirmation of the ledger.
//
// Usage: demo [-url http://localhost:8000] [-photo photo.jpg] [-lat …] [-lon …] [-without ai,ledger]
//
// It reads the one-time code from the console of a local system. Elsewhere DEMO_EMAIL is an address whose mails you read, and the
// code is asked for on the terminal; with DEMO_PASSWORD too it signs in with an existing account. -without does not wait for a
// part that the system does not have.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

func main() {
	url := flag.String("url", "http://localhost:8000", "address of the system")
	latitude := flag.Float64("lat", -8.5569, "latitude of the report, degrees WGS 84")
	longitude := flag.Float64("lon", 125.5603, "longitude of the report, degrees WGS 84")
	patience := flag.Duration("patience", 2*time.Minute, "how long to wait for AI and ledger")
	picture := flag.String("photo", "", "a photo to report; a small drawn one by default")
	missing := flag.String("without", "", "parts that the system does not have: ai, ledger")
	flag.Parse()
	without, err := parts(*missing)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &story{api: apiclient.Client{URL: strings.TrimRight(*url, "/"), HTTP: &http.Client{Timeout: 30 * time.Second}}, out: os.Stdout, latitude: *latitude, longitude: *longitude, patience: *patience, without: without}
	if err := s.tell(ctx, *picture); err != nil {
		fmt.Fprintf(os.Stderr, "\n  ✗ %v\n", err)
		os.Exit(1)
	}
}

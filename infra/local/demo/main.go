// Command demo plays the story of a report over HTTP against any address: a citizen registers, sends a picture of a
// pothole, reports it, and waits for the AI result and the confirmation of the ledger.
//
// Usage: demo [-url http://localhost:8000] [-photo photo.jpg] [-lat …] [-lon …]
//
// It reads the one-time code from the console of a local system, else asks for it on the terminal. DEMO_EMAIL and
// DEMO_PASSWORD sign in with an existing account instead.
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
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &story{api: apiclient.Client{URL: strings.TrimRight(*url, "/"), HTTP: &http.Client{Timeout: 30 * time.Second}}, out: os.Stdout, latitude: *latitude, longitude: *longitude, patience: *patience}
	if err := s.tell(ctx, *picture); err != nil {
		fmt.Fprintf(os.Stderr, "\n  ✗ %v\n", err)
		os.Exit(1)
	}
}

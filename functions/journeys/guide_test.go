package journeys

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
)

// The limits in the guide to files of riders are those of the code.
func TestGuideHasTheLimits(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../meta/guide/riders.md")
	if err != nil {
		t.Fatal(err)
	}
	p := message.NewPrinter(language.English)
	for _, want := range []string{
		fmt.Sprintf("| file, unpacked | %d MB |", trackfile.MaxBytes>>20),
		fmt.Sprintf("| file as sent in the request | %.1f MB;", float64(maxImportBody)/1e6),
		p.Sprintf("| points of tracks in one file | %d |", track.MaxPoints),
		p.Sprintf("| waypoints in one file | %d |", trackfile.MaxWaypoints),
		p.Sprintf("| points of one journey | 1,000,000, in at most %d tracks;", maxTracks),
		p.Sprintf("| markers of one journey | %d |", maxMarkers),
		p.Sprintf("| journeys of one person | %d |", maxJourneys),
		p.Sprintf("(default %d, from 0 to %d metres)", defaultHideEnds, maxHideEnds),
		fmt.Sprintf("within %.0f minutes", fileLink.Minutes()),
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the guide does not say %q", want)
		}
	}
}

package notify

import (
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// The guide to push messages names every type and every member of the data, and no others.
func TestGuideHasThePayload(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../meta/guide/push.md")
	if err != nil {
		t.Fatal(err)
	}
	report := uuid.New()
	most := notice{typ: notification.ReportVerified, reportID: &report, params: map[string]string{"report_number": "LS-2026-000001", "status": "verified", "note": "private"}}
	members := most.data(weblink.Base{})
	for _, typ := range notification.Types() {
		members[string(typ)] = ""
	}
	rows := 0
	for line := range strings.Lines(string(raw)) {
		name, found := strings.CutPrefix(line, "| `")
		if !found {
			continue
		}
		name, _, _ = strings.Cut(name, "`")
		if _, known := members[name]; known {
			rows++
		} else if name != "type" {
			t.Errorf("the guide explains %s, which no push message has", name)
		}
	}
	for name := range members {
		if !strings.Contains(string(raw), "\n| `"+name+"` |") {
			t.Errorf("the guide does not explain %s", name)
		}
	}
}

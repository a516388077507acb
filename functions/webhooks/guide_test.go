package webhooks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/meta/guide"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// The guide for receivers names every event, and the times as they are.
func TestGuideOfWebhooksHasTheFacts(t *testing.T) {
	t.Parallel()
	g, ok := guide.Find("webhooks")
	if !ok {
		t.Fatal("there is no guide")
	}
	text := strings.Join(strings.Fields(g.Source), " ")
	for _, e := range webhook.Events() {
		if !strings.Contains(text, "| `"+string(e)+"` |") {
			t.Errorf("the guide does not explain %s", e)
		}
	}
	waits := fmt.Sprintf("after %.0f seconds, %.0f seconds, %.0f, %.0f and %.0f minutes", waitAfter(1).Seconds(), waitAfter(2).Seconds(), waitAfter(3).Minutes(), waitAfter(4).Minutes(), waitAfter(5).Minutes())
	for _, fact := range []string{waits, fmt.Sprintf("within %.0f seconds", callTimeout.Seconds()), fmt.Sprintf("up to %.0f hours", maxRetryAfter.Hours())} {
		if !strings.Contains(text, fact) {
			t.Errorf("the guide does not say %q", fact)
		}
	}
	if waitAfter(6) != time.Hour {
		t.Errorf("later calls wait %v, and the guide says each hour", waitAfter(6))
	}
}

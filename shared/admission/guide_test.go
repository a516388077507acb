package admission

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
)

// The table of the guide to rate limits has the rates of the code, and no others.
func TestGuideHasTheRates(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../functions/meta/guide/rate-limits.md")
	if err != nil {
		t.Fatal(err)
	}
	config, err := env.ParseAsWithOptions[LimitConfig](env.Options{Environment: map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	rates, rows := NewRates(config, nil), 0
	for row, s := range map[string]Spend{
		"every request, signed in | a person":                                            {Key: UserKey},
		"every request, not signed in; reading and writing apart | an address":           {Key: AddressKey},
		"reading below `/public`, `/log`, `/open311` and `/ogc`, and pages | an address": {Class: LimitView},
		"signing in, codes by mail and the like | an address and an e-mail together":     {Class: LimitAuth},
		"checking a report against the ledger (`…/verify`) | a person or an address":     {Class: LimitVerify},
		"new reports, one by one | a person":                                             {Class: LimitCreate},
		"new reports, one by one and in batches | a member of staff":                     {Class: LimitSync, Staff: true},
		"reports in batches, counted by report | a person":                               {Class: LimitSync},
		"pictures | a person":                         {Class: LimitUpload},
		"comments | a person":                         {Class: LimitComment},
		"confirmations and flags together | a person": {Class: LimitFlag},
		"files of journeys | a person":                {Class: LimitImport},
		"contacts of reporters | a member of staff":   {Class: LimitContact},
		"new reports over Open311 | an API key":       {Class: LimitKeyReports},
		"updates over Open311 | an API key":           {Class: LimitKeyUpdates},
	} {
		rate := rates.Of(t.Context(), s)
		period := map[time.Duration]string{time.Minute: "minute", time.Hour: "hour", 24 * time.Hour: "day"}[rate.Period]
		article := map[string]string{"minute": "a", "hour": "an", "day": "a"}[period]
		if want := fmt.Sprintf("\n| %s | %d %s %s | %d |\n", row, rate.Limit, article, period, rate.Burst); !strings.Contains(string(guide), want) {
			t.Errorf("the guide does not say %q", want)
		}
		rows++
	}
	if got := strings.Count(string(guide), "\n| ") - 1; got != rows {
		t.Errorf("the table has %d rates, want %d", got, rows)
	}
}

package cost

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shared is one model for all tests: they share its simulated months.
var shared = sync.OnceValues(Read)

// read returns a model whose parts a test may replace.
func read(t *testing.T) *Model {
	t.Helper()
	m, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	own, measured := *m, *m.Measured
	own.Measured, own.Deployed = &measured, maps.Clone(m.Deployed)
	return &own
}

func TestFreeUnitsAndTiersOfAPrice(t *testing.T) {
	t.Parallel()
	flat := Price{Per: 1000, Free: 500, Tiers: []Tier{{USD: 2}}}
	tiers := Price{Per: 10, Free: 100, Tiers: []Tier{{UpTo: 1000, USD: 1}, {UpTo: 3000, USD: 0.5}, {USD: 0.1}}}
	for _, c := range []struct {
		price    Price
		quantity float64
		usd      float64
	}{
		{flat, 0, 0}, {flat, 499, 0}, {flat, 500, 0}, {flat, 1500, 2}, {flat, 2000, 3},
		{tiers, 0, 0}, {tiers, 100, 0}, {tiers, 110, 1}, {tiers, 1100, 100}, {tiers, 1110, 100.5},
		{tiers, 3100, 200}, {tiers, 3110, 200.1}, {tiers, 13_100, 300},
	} {
		if got := c.price.Cost(c.quantity); math.Abs(got-c.usd) > 1e-9 {
			t.Errorf("%v of %+v cost %v, want %v", c.quantity, c.price, got, c.usd)
		}
	}
}

// Tracing keeps the first call of each second and 5 % of the others.
func TestSampledTraces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ calls, traces float64 }{{0, 0}, {1000, 1000}, {2_592_000, 2_592_000}, {2_592_100, 2_592_005}} {
		if got := sampled(c.calls); got != c.traces {
			t.Errorf("%v calls: %v traces, want %v", c.calls, got, c.traces)
		}
	}
}

// The lines of three months, worked out by hand from the files.
func TestMonthsWorkedOutByHand(t *testing.T) {
	t.Parallel()
	m := read(t)
	m.Measured.Run = Run{Reports: 2, Counts: map[string]int{"bedrock converse": 4, "bedrock invoke": 2, "mail": 2, "sqs SendMessageBatch": 10, "call notify": 4}}
	m.Deployed[Managed] = Deployed{Alarms: 12, Dashboards: 4, Secrets: 1, Keys: 2, Queues: 2}
	for _, c := range []struct {
		reports  int
		quantity map[string]float64
		usd      map[string]float64
	}{
		{0, map[string]float64{"SQS request": 1_296_000, "AI token in": 0, "HTTP API request": 0, "mail": 0},
			map[string]float64{"KMS key": 2, "secret": 1.2, "alarm": 0.2, "dashboard": 3, "metric": 0, "SQS request": 0.1184, "Lambda call": 0, "ledger message": 0}},
		{10_000, map[string]float64{"SQS request": 1_296_000 + 10_000*(5+2*2+1), "AI token in": 10_000 * 2 * 2500, "HTTP API request": 200_000, "Lambda call": 43_200 + 2880 + 220_000},
			map[string]float64{"AI token in": 15, "AI token out": 12.5, "embedding of a picture": 0.6, "mail": 1, "transfer out": 0}},
		{1_000_000, map[string]float64{"AI token in": 5e9, "Aurora capacity": 2920, "trace": 2_592_000 + 0.05*(22_046_080-2_592_000)},
			map[string]float64{"AI token in": 1500, "AI token out": 1250, "transfer out": 351, "logs": 27.5, "Aurora capacity": 350.4}},
	} {
		lines, err := m.Month(Managed, c.reports)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]Line{}
		for _, l := range lines {
			if _, twice := by[l.Price.Name]; !twice {
				by[l.Price.Name] = l
			}
		}
		for name, want := range c.quantity {
			if got := by[name].Quantity; math.Abs(got-want) > 1e-6 {
				t.Errorf("%d reports, %s: %v, want %v", c.reports, name, got, want)
			}
		}
		for name, want := range c.usd {
			if got := by[name].USD(); math.Abs(got-want) > 1e-6 {
				t.Errorf("%d reports, %s: %v dollars, want %v", c.reports, name, got, want)
			}
		}
	}
}

// Only the managed profile pays for servers, and no month with more reports costs less.
func TestProfilesAndSizes(t *testing.T) {
	t.Parallel()
	m := read(t)
	for _, profile := range []string{External, Managed} {
		before := 0.0
		for _, reports := range []int{0, 1, 10_000, 99_999, 100_000, 1_000_000} {
			s, err := m.sums(profile, reports)
			if err != nil {
				t.Fatal(err)
			}
			if s["sum"] < before {
				t.Errorf("%s: %d reports cost %v, fewer cost %v", profile, reports, s["sum"], before)
			}
			if (s[servers] > 0) != (profile == Managed) {
				t.Errorf("%s: %v for servers", profile, s[servers])
			}
			before = s["sum"]
		}
	}
	for _, c := range []struct {
		profile string
		reports int
	}{{"both", 1}, {External, -1}, {External, maxReports + 1}} {
		if _, err := m.Month(c.profile, c.reports); err == nil {
			t.Errorf("%s with %d reports was computed", c.profile, c.reports)
		}
	}
}

// Each price says where and when it was read, and each price and assumption is used: none is a leftover.
func TestEveryPriceAndAssumptionIsUsed(t *testing.T) {
	t.Parallel()
	m := read(t)
	for _, date := range []string{m.Prices.Date, m.Measured.Date} {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			t.Error(err)
		}
	}
	lines, err := m.Month(Managed, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Prices.Prices {
		if !slices.ContainsFunc(lines, func(l Line) bool { return l.Price.Name == p.Name }) {
			t.Errorf("nothing is billed by the price %q", p.Name)
		}
		if !strings.HasPrefix(p.Source, "https://") || p.Unit == "" || p.Per <= 0 || len(p.Tiers) == 0 || p.Tiers[len(p.Tiers)-1].UpTo != 0 {
			t.Errorf("the price %q lacks a source, a unit or an end: %+v", p.Name, p)
		}
	}
	for i, a := range m.Measured.Assumed {
		if a.Why == "" || a.Unit == "" {
			t.Errorf("the assumption %q has no reason or unit", a.Name)
		}
		without := *m.Measured
		without.Assumed = slices.Delete(slices.Clone(m.Measured.Assumed), i, i+1)
		if !needed(&Model{m.Prices, &without, m.Deployed, m.ledger}) {
			t.Errorf("the assumption %q is not used", a.Name)
		}
	}
}

// needed reports whether a month at rest, of few or of many reports cannot be computed.
func needed(m *Model) bool {
	for _, reports := range []int{0, 1, 100_000} {
		if _, err := m.Month(Managed, reports); err != nil {
			return true
		}
	}
	return false
}

func TestARunThatAsksForMoreIsNamed(t *testing.T) {
	t.Parallel()
	was := Run{Reports: 10, Counts: map[string]int{"kms Sign": 60, "mail": 20}}
	if got := was.Exceeded(Run{Reports: 5, Counts: map[string]int{"kms Sign": 33, "mail": 10}}); len(got) != 0 {
		t.Errorf("a tenth more is named: %v", got)
	}
	got := was.Exceeded(Run{Reports: 5, Counts: map[string]int{"kms Sign": 34, "mail": 10, "sqs SendMessage": 1}})
	if want := []string{"kms Sign: 6.8 each report, 6.0 in counts.json", "sqs SendMessage: 0.2 each report, 0.0 in counts.json"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

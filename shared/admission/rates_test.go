package admission

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/caarlos0/env/v11"
	"github.com/valkey-io/valkey-go"
	"pgregory.net/rapid"

	"github.com/lafaekstreet/backend/infra/local/cache"
)

var sixtyAMinute = Rate{Limit: 60, Period: time.Minute, Burst: 10}

func TestABurstThenTheRate(t *testing.T) {
	t.Parallel()
	m, now := NewMemory(), time.Unix(1_800_000_000, 0)
	for i := range 10 {
		if b := m.Take(sixtyAMinute, "k", 1, now); !b.Allowed || b.Remaining != 9-i || b.Limit != 60 {
			t.Fatalf("request %d: %+v", i, b)
		}
	}
	b := m.Take(sixtyAMinute, "k", 1, now)
	if b.Allowed || b.Remaining != 0 || b.Retry != time.Second || b.Reset != 10*time.Second {
		t.Errorf("the eleventh: %+v", b)
	}
	if b := m.Take(sixtyAMinute, "other", 1, now); !b.Allowed {
		t.Error("somebody else pays")
	}
	if b := m.Take(sixtyAMinute, "k", 1, now.Add(time.Second)); !b.Allowed {
		t.Error("a second later there is no room")
	}
	if b := m.Take(sixtyAMinute, "k", 11, now.Add(time.Hour)); b.Allowed {
		t.Error("more than a burst at once")
	}
	if b := m.Take(sixtyAMinute, "k", 10, now.Add(time.Hour)); !b.Allowed || b.Remaining != 0 {
		t.Errorf("a whole burst at once: %+v", b)
	}
}

// servers are the caches the script must behave the same on: the one of this
// machine (a real Valkey where installed, as in CI) and the stand-in.
func servers(t *testing.T) map[string]valkey.Client {
	t.Helper()
	local, err := cache.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := local.Stop(); err != nil {
			t.Error(err)
		}
	})
	standIn := miniredis.RunT(t)
	out := map[string]valkey.Client{}
	for name, address := range map[string]string{local.Name: local.URL(), "miniredis": "redis://" + standIn.Addr()} {
		options, err := valkey.ParseURL(address)
		if err != nil {
			t.Fatal(err)
		}
		options.DisableCache = true
		client, err := valkey.NewClient(options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		out[name] = client
	}
	return out
}

// The script and the process's memory answer every sequence alike.
func TestScriptAndMemoryAgree(t *testing.T) {
	t.Parallel()
	for name, client := range servers(t) {
		t.Run(name, func(t *testing.T) {
			run := 0
			rapid.Check(t, func(r *rapid.T) {
				run++
				memory, now := NewMemory(), time.Now()
				rate := Rate{Limit: rapid.IntRange(1, 600).Draw(r, "limit"), Burst: rapid.IntRange(1, 200).Draw(r, "burst"),
					Period: rapid.SampledFrom([]time.Duration{time.Minute, time.Hour}).Draw(r, "period")}
				// Whole microseconds: what the script counts in.
				rate.Period -= rate.Period % (time.Duration(rate.Limit) * time.Microsecond)
				now = now.Truncate(time.Microsecond)
				for range rapid.IntRange(1, 30).Draw(r, "requests") {
					now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(r, "pause")) * time.Millisecond)
					cost := float64(rapid.IntRange(1, 5).Draw(r, "cost"))
					key := fmt.Sprintf("%d:%d", run, rapid.IntRange(0, 1).Draw(r, "key"))
					back := rapid.IntRange(0, 3).Draw(r, "give back") == 0
					var want Budget
					if back {
						want, cost = memory.Return(rate, key, cost, now), -cost
					} else {
						want = memory.Take(rate, key, cost, now)
					}
					got, err := readBudget(rate, client.Do(t.Context(), takeCommand(client, rate, key, cost, now)))
					if err != nil {
						r.Fatal(err)
					}
					if got != want {
						r.Fatalf("script %+v, memory %+v", got, want)
					}
				}
			})
		})
	}
}

func TestConfiguredAndSetRates(t *testing.T) {
	t.Parallel()
	config, err := env.ParseAsWithOptions[LimitConfig](env.Options{Environment: map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	rates := NewRates(config, nil)
	anHour := func(n int) Rate { return Rate{Limit: n, Period: time.Hour, Burst: n} }
	for _, tt := range []struct {
		spend Spend
		want  Rate
	}{
		{Spend{Class: LimitGeneral, Key: UserKey + "x"}, Rate{Limit: 600, Period: time.Minute, Burst: 200}},
		{Spend{Class: LimitGeneral, Key: AddressKey + "x"}, Rate{Limit: 60, Period: time.Minute, Burst: 60}},
		{Spend{Class: LimitView, Key: AddressKey + "x"}, Rate{Limit: 600, Period: time.Minute, Burst: 600}},
		{Spend{Class: LimitVerify, Key: AddressKey + "x"}, Rate{Limit: 30, Period: time.Minute, Burst: 30}},
		{Spend{Class: LimitAuth, Key: AddressKey + "x"}, Rate{Limit: 10, Period: time.Minute, Burst: 10}},
		{Spend{Class: LimitCreate, Key: UserKey + "x"}, anHour(20)},
		{Spend{Class: LimitCreate, Key: UserKey + "x", Staff: true}, anHour(200)},
		{Spend{Class: LimitSync, Key: UserKey + "x"}, anHour(200)},
		{Spend{Class: LimitSync, Key: UserKey + "x", Staff: true}, anHour(200)},
		{Spend{Class: LimitUpload, Key: UserKey + "x"}, anHour(60)},
		{Spend{Class: LimitComment, Key: UserKey + "x"}, anHour(30)},
		{Spend{Class: LimitFlag, Key: UserKey + "x"}, anHour(60)},
		{Spend{Class: LimitImport, Key: UserKey + "x"}, anHour(60)},
	} {
		if got := rates.Of(t.Context(), tt.spend); got != tt.want {
			t.Errorf("%+v: %+v, want %+v", tt.spend, got, tt.want)
		}
	}
}

// What was given back can be spent again, and never more than the whole budget.
func TestReturnedRequestsCanBeSpentAgain(t *testing.T) {
	t.Parallel()
	m, now := NewMemory(), time.Unix(1_800_000_000, 0)
	m.Take(sixtyAMinute, "k", 10, now)
	if b := m.Return(sixtyAMinute, "k", 0.9, now); b.Remaining != 0 || b.Reset != 9100*time.Millisecond {
		t.Errorf("after nine tenths of a request: %+v", b)
	}
	if b := m.Return(sixtyAMinute, "k", 4, now); b.Remaining != 4 {
		t.Errorf("after four more: %+v", b)
	}
	if b := m.Return(sixtyAMinute, "k", 100, now); b.Remaining != 10 {
		t.Errorf("after a hundred more: %+v", b)
	}
	if b := m.Take(sixtyAMinute, "k", 10, now); !b.Allowed || b.Remaining != 0 {
		t.Errorf("the whole budget at once: %+v", b)
	}
	if b := m.Take(sixtyAMinute, "k", 1, now); b.Allowed {
		t.Error("more than the whole budget is allowed")
	}
}

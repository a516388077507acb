package admission

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
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
					cost := rapid.IntRange(1, 5).Draw(r, "cost")
					key := fmt.Sprintf("%d:%d", run, rapid.IntRange(0, 1).Draw(r, "key"))
					want := memory.Take(rate, key, cost, now)
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
	rates := NewRates(LimitConfig{UserPerMinute: 600, UserBurst: 200, AddressPerMinute: 60, AuthPerMinute: 10,
		CreatePerHour: 20, SyncPerHour: 200, UploadPerHour: 60}, nil)
	for _, tt := range []struct {
		class LimitClass
		key   string
		want  Rate
	}{
		{LimitGeneral, UserKey + "x", Rate{Limit: 600, Period: time.Minute, Burst: 200}},
		{LimitGeneral, AddressKey + "x", Rate{Limit: 60, Period: time.Minute, Burst: 60}},
		{LimitAuth, AddressKey + "x", Rate{Limit: 10, Period: time.Minute, Burst: 10}},
		{LimitCreate, UserKey + "x", Rate{Limit: 20, Period: time.Hour, Burst: 20}},
		{LimitSync, UserKey + "x", Rate{Limit: 200, Period: time.Hour, Burst: 200}},
		{LimitUpload, UserKey + "x", Rate{Limit: 60, Period: time.Hour, Burst: 60}},
	} {
		if got := rates.Of(t.Context(), tt.class, tt.key); got != tt.want {
			t.Errorf("%q of %s: %+v, want %+v", tt.class, tt.key, got, tt.want)
		}
	}
}

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// relay pauses where the database does, or where the operator says so.
func TestRelayPausesWhereTheDatabaseSleeps(t *testing.T) {
	t.Parallel()
	const managed, external = `{"profile":"managed","database_ca":"x"`, `{"profile":"external","database_secret":"x"`
	for raw, want := range map[string]time.Duration{
		managed + `}`:                                               15 * time.Minute,
		external + `}`:                                              0,
		managed + `,"aurora_min_acu":0.5}`:                          0,
		managed + `,"relay_pause_minutes":0}`:                       0,
		external + `,"relay_pause_minutes":30}`:                     30 * time.Minute, // a PostgreSQL that its provider puts to sleep
		managed + `,"aurora_min_acu":0.5,"relay_pause_minutes":10}`: 10 * time.Minute,
	} {
		s, err := readSettings([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.relayPause(); got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
}

// An Aurora that may pause gets no idle sessions, and functions wait until it is awake.
func TestWhatLetsAuroraSleep(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		sleeps := w.settings.managed() && w.settings.AuroraMin == 0
		for _, f := range w.Functions() {
			name := strings.TrimPrefix(f.Name, w.settings.name(""))
			if wait := f.Env["DATABASE_CONNECT_TIMEOUT"]; (wait == "25s") != (sleeps && f.Env["DATABASE_EXEC_MODE"] != "") || !sleeps && wait != "" {
				t.Errorf("%s: connecting may take %q", name, wait)
			}
			if pause := f.Env["RELAY_PAUSE"]; (pause == "15m0s") != (sleeps && name == "relay") || pause != "" && name != "relay" {
				t.Errorf("%s: pause %q", name, pause)
			}
		}
		for _, g := range w.OfType("AWS::RDS::DBClusterParameterGroup") {
			parameters, _ := g.Properties["Parameters"].(map[string]any)
			if parameters["idle_session_timeout"] != "300000" {
				t.Errorf("parameters %v", parameters)
			}
		}
		for _, c := range w.OfType("AWS::RDS::DBCluster") {
			scaling, _ := c.Properties["ServerlessV2ScalingConfiguration"].(map[string]any)
			if seconds, ok := scaling["SecondsUntilAutoPause"].(float64); ok != sleeps || ok && seconds != 300 {
				t.Errorf("scaling %v", scaling)
			}
		}
	})
}

// A database wakes before the functions of the longest time limit give up.
func TestWakingFitsTheTimeLimits(t *testing.T) {
	t.Parallel()
	for _, name := range []catalog.FunctionName{"relay", "export", "digest", "migrate", "notify", "validate", "anchor", "images", "geocode", "reports", "users"} {
		if f, ok := catalog.Find(name); !ok || f.Timeout <= wakeTime {
			t.Errorf("%s may take %v, and waking %v", name, f.Timeout, wakeTime)
		}
	}
}

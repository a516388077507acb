package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
	running "github.com/lafaekstreet/backend/shared/settings" // of a running system; settings are those of a deploy
)

func runbook(t *testing.T) string { return document(t, "RUNBOOK.md") }

func document(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestEveryAlarmHasItsEntryInTheRunbook(t *testing.T) {
	t.Parallel()
	var entries, alarms []string
	for _, m := range regexp.MustCompile("(?m)^### `([^`]+)`$").FindAllStringSubmatch(runbook(t), -1) {
		entries = append(entries, m[1])
	}
	for _, a := range catalog.Alarms() {
		alarms = append(alarms, a.Name)
		if !slices.Contains(entries, a.Name) {
			t.Errorf("the alarm %s has no entry in RUNBOOK.md", a.Name)
		}
	}
	for _, e := range entries {
		if !slices.Contains(alarms, e) {
			t.Errorf("RUNBOOK.md has an entry %s, and no alarm has this name", e)
		}
	}
}

// notMetrics are the words of the runbook with an underscore that are neither a metric nor a setting.
var notMetrics = []string{
	"request_id", "message_id", // fields of log lines
	"needs_review",            // status of a report
	"due_at", "contact_email", // members of a report and of an agency
	"log_vkey", "report_number", // members of /log/keys and of an entry
	"ledger_events", "ledger_anchors", "ledger_submissions", "ledger_transactions", "log_head", "log_upgrade", // tables
	"lafaek_app", "lafaek_reports", "pg_stat_activity", "synchronous_standby_names", "pg_dump", // of PostgreSQL
}

// Whoever follows the README or the runbook finds every command.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	t.Parallel()
	makefile := document(t, "../Makefile")
	for _, name := range []string{"../README.md", "RUNBOOK.md", "../CONTRIBUTING.md"} {
		found := regexp.MustCompile("(?m)(?:`|^ +|[A-Z]+=\\S+ )make ([a-z][a-z0-9-]*)").FindAllStringSubmatch(document(t, name), -1)
		if len(found) == 0 {
			t.Errorf("%s names no command", name)
		}
		for _, m := range found {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which does not exist", name, m[1])
			}
		}
	}
}

// Whoever writes a setting as the README or the runbook says is not refused.
func TestDocumentsNameSettingsThatExist(t *testing.T) {
	t.Parallel()
	var known []string
	for _, of := range []reflect.Type{reflect.TypeFor[settings](), reflect.TypeFor[running.Settings]()} {
		for _, f := range reflect.VisibleFields(of) {
			known = append(known, f.Tag.Get("json"))
		}
	}
	readme := document(t, "../README.md")
	var named []string
	for _, m := range regexp.MustCompile("`\"([a-z_]+)\": ").FindAllStringSubmatch(readme+document(t, "RUNBOOK.md"), -1) {
		named = append(named, m[1])
	}
	_, table, _ := strings.Cut(readme, "| setting | what it is | default |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n")[2:] {
		for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			named = append(named, m[1])
		}
	}
	if len(named) < 8 {
		t.Errorf("only %v are named", named)
	}
	for _, n := range named {
		if !slices.Contains(known, n) {
			t.Errorf("the documents name the setting %s, which does not exist", n)
		}
	}
}

// A metric that the runbook names and nobody emits would send a person to an empty graph.
func TestTheRunbookNamesNoUnknownMetric(t *testing.T) {
	t.Parallel()
	known := slices.Clone(notMetrics)
	for _, m := range catalog.Metrics() {
		known = append(known, m.Name())
	}
	for _, of := range []reflect.Type{reflect.TypeFor[settings](), reflect.TypeFor[running.Settings]()} {
		for _, f := range reflect.VisibleFields(of) {
			known = append(known, f.Tag.Get("json"))
		}
	}
	for _, m := range regexp.MustCompile("`([a-z]+(?:_[a-z]+)+)`").FindAllStringSubmatch(runbook(t), -1) {
		if !slices.Contains(known, m[1]) {
			t.Errorf("RUNBOOK.md names %s, which is no metric and no setting", m[1])
		}
	}
	for _, word := range notMetrics {
		if !strings.Contains(runbook(t), "`"+word+"`") {
			t.Errorf("RUNBOOK.md does not name %s any more: remove it here", word)
		}
	}
}

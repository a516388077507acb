package tamper

import (
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/lafaek-log/follow"
	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
	"github.com/lafaekstreet/backend/shared/translog"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Statements that need the number of the event.
const (
	second = ` WHERE report_id = $1 AND seq = 2`
	newest = ` WHERE report_id = $1 AND seq = (SELECT max(seq) FROM ledger_events WHERE report_id = $1)`
	forged = `convert_to(replace(convert_from(payload, 'UTF8'), 'moderator', 'system'), 'UTF8')`
)

// rows are the ways to change or drop something without a trace. Every row has somebody who notices: verify names the check of
// the verify route, fsck that of a finding, receipt the verdict of the reporter's receipt beside what the site answers then, follow
// the alarm of who follows the log.
var rows = []struct {
	name         string
	tamper       func(w *world)
	verify, fsck string
	receipt      judge.Verdict
	follow       follow.Kind
}{
	{"title", sql(`UPDATE reports SET title = 'x' WHERE id = $1`), "content", "content", judge.Kept, ""},
	{"exact place by a metre", sql(`UPDATE reports SET latitude = latitude + 0.00001 WHERE id = $1`), "content", "content", judge.Kept, ""},
	{"salt edited", sql(`UPDATE report_salts SET salt = sha256('x') WHERE report_id = $1 AND seq = 1`), "content", "content", judge.Kept, ""},
	{"salt deleted, words and place rewritten", sql(`DELETE FROM report_salts WHERE report_id = $1`,
		`UPDATE reports SET title = 'Nothing to see', description = 'The road is fine', latitude = latitude + 0.00002 WHERE id = $1`), "salts", "salts", judge.Kept, ""},
	{"date of creation", sql(`UPDATE reports SET created_at = created_at + interval '30 days' WHERE id = $1`), "report", "report", judge.Kept, ""},
	{"due date", sql(`UPDATE reports SET due_at = now() WHERE id = $1`), "report", "report", judge.Kept, ""},
	{"status without an event", sql(`UPDATE reports SET status = 'fixed' WHERE id = $1`), "report", "report", judge.Kept, ""},
	{"address", sql(`UPDATE reports SET address = 'Rua 2' WHERE id = $1`), "content", "content", judge.Kept, ""},
	{"municipality", sql(`UPDATE reports SET municipality_code = 'TL-BA' WHERE id = $1`), "report", "report", judge.Kept, ""},
	{"priority", sql(`UPDATE reports SET priority = 'critical' WHERE id = $1`), "report", "report", judge.Kept, ""},
	{"author", sql(`UPDATE reports SET user_id = NULL WHERE id = $1`), "content", "content", judge.Kept, ""},
	{"a step of the history removed", sql(`DELETE FROM report_status_history` + second), "history", "history", judge.Kept, ""},
	{"a note rewritten", sql(`UPDATE report_status_history SET note = 'x'` + second), "history", "history", judge.Kept, ""},
	{"a comment hidden", sql(`UPDATE report_comments SET deleted_at = now() WHERE report_id = $1`), "comments", "comments", judge.Kept, ""},
	{"deleted_at set", sql(`UPDATE reports SET deleted_at = now() WHERE id = $1`), "report", "report", judge.Kept, ""},
	{"pictures of two reports swapped in storage", func(w *world) { w.swap(upload.Display) }, "", "images", judge.Kept, ""},
	{"thumbnails of two reports swapped in storage", func(w *world) { w.swap(upload.Thumbnail) }, "", "images", judge.Kept, ""},
	{"a picture that no event names", sql(`UPDATE report_images SET report_id = $1, created_at = created_at - interval '1 day' WHERE report_id <> $1`), "images", "images", judge.Kept, ""},
	{"an event rewritten", sql(`UPDATE ledger_events SET payload = ` + forged + second), "hash", "log", judge.Kept, ""},
	{"an event rewritten with its hash", sql(`UPDATE ledger_events SET payload = ` + forged + `, payload_hash = sha256(` + forged + `)` + second), "chain", "log", judge.Kept, ""},
	{"the newest event rewritten with its hash", sql(`UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), 'citizen', 'system'), 'UTF8')`+newest,
		`UPDATE ledger_events SET payload_hash = sha256(payload)`+newest), "inclusion", "log", judge.Kept, ""},
	{"two events swapped", sql(`UPDATE ledger_events SET seq = 50 - 10 * seq WHERE report_id = $1 AND seq IN (2, 3)`, `UPDATE ledger_events SET seq = seq / 10 WHERE report_id = $1 AND seq > 9`), "chain", "chain", judge.Kept, ""},
	{"an event made up", sql(`INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, prev_hash, created_at, log_index)
		SELECT gen_random_uuid(), report_id, seq + 1, event_type, payload, payload_hash, payload_hash, now(), (SELECT next FROM log_counter) FROM ledger_events` + newest), "hash", "counter", judge.Kept, ""},
	{"the newest event dropped, with its rows", sql(`DELETE FROM report_comments WHERE report_id = $1`, `UPDATE reports SET comments_count = 0 WHERE id = $1`, `DELETE FROM report_salts`+newest, `DELETE FROM ledger_events`+newest), "", "log", judge.Kept, ""},
	{"the whole report dropped", func(w *world) { w.wipe(w.id) }, "404", "log", judge.Kept, ""},
	{"the whole report dropped, its number given out again", func(w *world) {
		w.wipe(w.id)
		w.do(`UPDATE report_numbers SET last = last - 1`)
		w.do(`UPDATE log_counter SET next = (SELECT max(log_index) + 1 FROM ledger_events)`)
		w.file(3)
	}, "404", "log", judge.Kept, ""},
	{"a tile changed", func(w *world) { w.damage(translog.TileKey(0, 0, w.size())) }, "inclusion", "log", judge.Accepted, follow.Tampered},
	{"a bundle changed", func(w *world) { w.damage(translog.BundleKey(0, w.size())) }, "inclusion", "log", judge.Accepted, follow.Tampered},
	{"the checkpoint changed", func(w *world) { w.damage(translog.CheckpointKey) }, "checkpoint", "checkpoint", judge.Unproven, follow.Tampered},
	{"an event of another report rewritten, the log signed again", func(w *world) {
		w.do(`UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), 'citizen', 'system'), 'UTF8')`+newest, w.neighbour.id)
		w.do(`UPDATE ledger_events SET payload_hash = sha256(payload)`+newest, w.neighbour.id)
		w.PublishLog(int64(w.size()))
	}, "", "checkpoint", judge.Kept, follow.Fork},
	{"an older log published again", func(w *world) { w.PublishLog(int64(w.size() - 1)) }, "anchored", "checkpoint", judge.Kept, follow.Rollback},
	{"the counter set back", func(w *world) { w.do(`UPDATE log_counter SET next = next - 1`) }, "", "counter", judge.Kept, ""},
}

// sql is a tampering by statements with the id of the report as $1.
func sql(statements ...string) func(w *world) {
	return func(w *world) {
		for _, s := range statements {
			w.do(s, w.id)
		}
	}
}

// TestSomebodyNotices changes or drops something in each way of the table, with all rights, and asks everybody.
func TestSomebodyNotices(t *testing.T) {
	t.Parallel()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.publish()
			if bad := w.verify(); len(bad) > 0 {
				t.Fatalf("before: verify fails at %q", bad)
			}
			if found, out := w.fsck(); len(found) > 0 || w.judge() != judge.Kept {
				t.Fatalf("before: the receipt is %s, fsck says\n%s", w.judge(), out)
			}
			follower := w.follower()
			if alarms := w.alarms(follower); len(alarms) > 0 {
				t.Fatalf("before: %v", alarms)
			}
			w.unlock()
			row.tamper(w)
			bad := strings.Join(w.verify(), " ")
			found, out := w.fsck()
			if row.verify == "" && bad != "" || !strings.Contains(bad, row.verify) {
				t.Errorf("verify fails at %q, want %q", bad, row.verify)
			}
			if !has(found, "", row.fsck) {
				t.Errorf("fsck does not say %q:\n%s", row.fsck, out)
			}
			if got := w.judge(); got != row.receipt {
				t.Errorf("the receipt is %s, want %s", got, row.receipt)
			}
			alarms := append(w.alarms(follower), w.alarms(w.follower())...)
			if (row.follow == "") != (len(alarms) == 0) || row.follow != "" && !slices.ContainsFunc(alarms, func(a follow.Alarm) bool { return a.Kind == row.follow }) {
				t.Errorf("whoever follows the log hears %v, want %q", alarms, row.follow)
			}
		})
	}
}

// The number and the place of a report that was dropped before it was
// published are given out again. The database agrees with itself. The receipt proves what happened.
func TestWipingAnUnpublishedReportIsNoticedByItsReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unlock()
	w.wipe(w.id)
	w.do(`UPDATE report_numbers SET last = last - 1`)
	w.do(`UPDATE log_counter SET next = (SELECT max(log_index) + 1 FROM ledger_events)`)
	number := w.file(3).number
	w.publish()
	if number != w.number {
		t.Fatalf("the number %s was given out, want that of the report, %s", number, w.number)
	}
	if found, out := w.fsck(); len(found) > 0 {
		t.Errorf("fsck cannot know:\n%s", out)
	}
	if got := w.judge(); got != judge.Dropped {
		t.Errorf("the receipt is %s, want dropped", got)
	}
}

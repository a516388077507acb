package follow_test

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/lafaekstreet/backend/infra/lafaek-log/follow"
	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

// signedBySeed signs a receipt with the key of the world.
func signedBySeed(w *world, text string) string {
	w.Helper()
	v, err := note.NewVerifier(w.receipts.VKey())
	if err != nil {
		w.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, seedSigner{v})
	if err != nil {
		w.Fatal(err)
	}
	return string(signed)
}

type seedSigner struct{ note.Verifier }

// Sign implements note.Signer.
func (seedSigner) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), message), nil
}

// TestAnHonestLogRaisesNoAlarm follows a log that grows over bundles and files, with messages on the ledger.
func TestAnHonestLogRaisesNoAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sendRaw("0.0.9", []byte(`{"v":1,"event":"REPORT_SUBMITTED"}`)) // of an earlier version
	if got := w.round(); got != "" {
		t.Error(got)
	}
	for i := range 3 {
		for n := range 200 {
			w.file(200*i + n + 1)
		}
		w.add("LS-2026-000001", "STATUS_CHANGED", object{"status": "verified", "old_status": "pending"})
		w.publish()
		w.send("0.0.2", object{"i": 3, "n": "LS-2026-000001", "e": "REPORT_SUBMITTED"})
		w.now = w.now.Add(10 * time.Minute)
		if got := w.round(); got != "" {
			t.Error(got)
		}
	}
	if w.state.Next != 3+603 || fmt.Sprint(w.state.Places("LS-2026-000001")) != "[3 203 404 605]" {
		t.Errorf("%d entries, places %v", w.state.Next, w.state.Places("LS-2026-000001"))
	}
	rows := strings.Split(strings.TrimSpace(w.table.String()), "\n")
	if len(rows) != 1+3+603 || rows[4] != "3,2026-11-28T10:00:00.000Z,LS-2026-000001,1,REPORT_SUBMITTED,citizen,pothole,pending,,,,,,-8.557,125.56" {
		t.Errorf("%d rows, the first report is %q", len(rows), rows[4])
	}
	if int64(w.table.Len()) != w.state.CSVBytes {
		t.Errorf("table of %d bytes, the state has %d", w.table.Len(), w.state.CSVBytes)
	}
}

// TestWhatBreaksAPromiseIsAnAlarm has one story for each kind of alarm: what happens between two rounds, and what the second
// round says.
func TestWhatBreaksAPromiseIsAnAlarm(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	for name, story := range map[string]struct {
		happen func(w *world)
		want   []string // parts of the alarms; none for no alarm
	}{
		"nothing":              {func(*world) {}, nil},
		"an event is left out": {func(w *world) { w.add("LS-2026-000001", "STATUS_CHANGED", object{"seq": 3}) }, []string{"ALARM chain", "event 3 of LS-2026-000001, after event 1"}},
		"an event does not follow": {func(w *world) {
			w.add("LS-2026-000001", "STATUS_CHANGED", object{"prev": strings.Repeat("0", 64)})
		}, []string{"ALARM chain", "does not follow"}},
		"a report begins without being filed":  {func(w *world) { w.add("LS-2026-000003", "STATUS_CHANGED", nil) }, []string{"ALARM chain"}},
		"a number is left out":                 {func(w *world) { w.file(3, 5) }, []string{"ALARM number: LS-2026-000004"}},
		"a number is given twice":              {func(w *world) { w.tails["LS-2026-000002"] = tail{}; w.file(2) }, []string{"ALARM chain", "event 1 of LS-2026-000002, after event 1"}},
		"numbers arrive in another order":      {func(w *world) { w.file(4, 3) }, nil},
		"time runs back by an hour":            {func(w *world) { w.now = w.now.Add(-hour); w.file(3); w.now = w.now.Add(hour) }, []string{"ALARM time"}},
		"time runs back by a second":           {func(w *world) { w.now = w.now.Add(-time.Second); w.file(3) }, nil},
		"an entry is no event":                 {func(w *world) { w.entries = append(w.entries, []byte("{}")) }, []string{"ALARM entry"}},
		"an incident":                          {func(w *world) { w.add("", "INCIDENT", object{"detail": "restored"}) }, []string{"ALARM incident", "restored"}},
		"a message of somebody else":           {func(w *world) { w.send("0.0.3") }, []string{"ALARM ledger", "0.0.3"}},
		"a message that is no checkpoint":      {func(w *world) { w.sendRaw("0.0.2", []byte("hello")) }, []string{"ALARM ledger"}},
		"a message names another entry":        {func(w *world) { w.send("0.0.2", object{"i": 3, "n": "LS-2026-000009", "e": "REPORT_SUBMITTED"}) }, []string{"ALARM ledger", "LS-2026-000009"}},
		"a message with a changed checkpoint":  {func(w *world) { w.sendRaw("0.0.2", []byte(strings.Replace(string(jsonOf(w)), `\n5\n`, `\n4\n`, 1))) }, []string{"ALARM ledger"}},
		"the site is behind the ledger":        {behind, []string{"ALARM ledger", "has a log of 6 entries, this site shows 5"}},
		"the ledger has another history":       {func(w *world) { w.sendRaw("0.0.2", jsonOf(w.other(5))) }, []string{"ALARM fork"}},
		"this site shows another history":      {func(w *world) { o := w.other(7); w.store, w.entries, w.head = o.store, o.entries, o.head }, []string{"ALARM fork", "keep both"}},
		"another history of the same size":     {func(w *world) { o := w.other(5); w.store, w.entries, w.head = o.store, o.entries, o.head }, []string{"ALARM fork"}},
		"the log becomes smaller":              {smaller, []string{"ALARM rollback: the log had 5 entries and has 3 now"}},
		"a tile is changed":                    {func(w *world) { w.file(3); w.publish(); w.spoil("tile/0/000.p/6") }, []string{"ALARM tampered"}},
		"an entry is changed in its bundle":    {func(w *world) { w.file(3); w.publish(); w.spoil("tile/entries/000.p/6") }, []string{"ALARM tampered"}},
		"a checkpoint of a stranger":           {func(w *world) { w.key = logtest.NewKey(t, logtest.Origin+"2"); w.publish() }, []string{"ALARM tampered"}},
		"a receipts key is changed silently":   {func(w *world) { w.keys["receipts_vkeys"] = []object{{"vkey": w.key.VKey(), "from": 0}} }, []string{"ALARM keys", "no longer among the keys"}},
		"a new key that the log does not name": {func(w *world) { w.rotate(5, false) }, []string{"ALARM keys: no KEY_CHANGED names"}},
		"a new key that the log names":         {func(w *world) { w.rotate(5, true) }, nil},
		"a key ends without a KEY_CHANGED": {func(w *world) {
			w.keys["receipts_vkeys"] = []object{{"vkey": w.receipts.VKey(), "from": 0, "until": 1}}
		}, []string{"ALARM keys: /log/keys has the receipts key", "from 0 to 1, the log from 0 on"}},
		"a key ends at another place than the log says": {func(w *world) {
			w.rotate(5, true)
			w.keys["receipts_vkeys"].([]object)[1]["until"] = 4
		}, []string{"ALARM keys: /log/keys has the receipts key", "from 0 to 4, the log from 0 to 5"}},
		"a key that the log names is held back": {func(w *world) {
			next := logtest.NewKey(w, logtest.Origin+"/receipts").VKey()
			w.keyChanged("receipts", w.receipts.VKey(), next)
		}, []string{"ALARM keys: /log/keys does not have the receipts key"}},
		"a key beside the one that the log names": {func(w *world) {
			w.keys["receipts_vkeys"] = append(w.keys["receipts_vkeys"].([]object), object{"vkey": w.key.VKey(), "from": 0})
		}, []string{"ALARM keys: no KEY_CHANGED names the receipts key"}},
		"another origin": {func(w *world) { w.keys["origin"] = "other" }, []string{"ALARM keys: the origin"}},
		"another account, not named": {func(w *world) {
			w.keys["ledger"] = object{"topic_id": "0.0.7", "account_id": "0.0.5", "public_key": "02ab", "mirror_url": w.server.URL}
		}, []string{"ALARM keys", "0.0.5"}},
		"nobody answers":           {func(w *world) { w.now = w.now.AddDate(0, 0, 31) }, []string{"ALARM unanswered: LS-2026-000001", "ALARM unanswered: LS-2026-000002"}},
		"somebody answers":         {func(w *world) { w.answer(); w.now = w.now.AddDate(0, 0, 31) }, nil},
		"a receipt is honoured":    {func(w *world) { w.options.Receipts = []string{w.receipt(4)} }, nil},
		"a receipt waits":          {func(w *world) { w.promised(); w.now = w.now.Add(hour) }, nil},
		"a receipt waits too long": {func(w *world) { w.promised(); w.now = w.now.Add(hour + 2*time.Minute) }, []string{"ALARM promise", "LS-2026-000003"}},
		"a receipt is replaced": {func(w *world) {
			w.promised()
			w.file(4)
			w.publish()
		}, []string{"ALARM promise: dropped"}},
		"the site shows a report that the log has":   {func(w *world) { w.shows("LS-2026-000002", -2*hour) }, nil},
		"the site shows a report that waits":         {func(w *world) { w.shows("LS-2026-000003", -hour) }, nil},
		"the site shows a report that the log lacks": {func(w *world) { w.shows("LS-2026-000003", -2*hour) }, []string{"ALARM omitted: LS-2026-000003"}},
		"the log does not grow for two days":         {func(w *world) { w.options.QuietDays = 1; w.now = w.now.Add(48 * hour) }, []string{"ALARM silent", "days: 1"}},
		"the log grows on the second day":            {func(w *world) { w.options.QuietDays = 1; w.now = w.now.Add(48 * hour); w.file(3) }, nil},
		"the log does not grow, and nobody asked":    {func(w *world) { w.now = w.now.Add(48 * hour) }, nil},
		"an entry comes too late": {func(w *world) {
			w.now = w.now.Add(2 * hour)
			w.mustRound()
			w.now = w.now.Add(-2 * hour)
			w.file(3)
			w.publish()
		}, []string{"ALARM late"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.options.AnswerDays = 30
			w.file(1, 2)
			w.publish()
			w.send("0.0.2")
			w.mustRound()
			size := len(w.entries)
			story.happen(w)
			if len(w.entries) > size && int64(len(w.entries)) > w.head.N {
				w.publish()
			}
			got := w.round()
			for _, part := range story.want {
				if !strings.Contains(got, part) {
					t.Errorf("no %q in %q", part, got)
				}
			}
			if len(story.want) == 0 && got != "" {
				t.Error(got)
			}
		})
	}
}

// shows has the site show a report of some time ago.
func (w *world) shows(number string, ago time.Duration) {
	w.listed = append(w.listed, object{"report_number": number, "created_at": w.now.Add(ago).Format(time.RFC3339)})
}

func (w *world) mustRound() {
	w.Helper()
	if got := w.round(); got != "" {
		w.Fatal(got)
	}
}

// behind sends a checkpoint that the site does not show.
func behind(w *world) {
	shown := w.store.Files()[translog.CheckpointKey]
	w.file(3)
	w.publish()
	w.send("0.0.2")
	w.put(translog.CheckpointKey, shown)
}

// smaller shows a tree of 3 entries with a good signature.
func smaller(w *world) {
	small := logtest.NewMemory()
	c := w.publishTo(small, &translog.Checkpoint{Tree: translog.Empty()}, w.entries[:3])
	w.put(translog.CheckpointKey, c.Signed)
}

func (w *world) put(key string, data []byte) {
	if err := w.store.Put(w.Context(), translog.File{Key: key, Data: data}); err != nil {
		w.Fatal(err)
	}
}

// spoil changes a byte of a file.
func (w *world) spoil(key string) {
	data := w.store.Files()[key]
	if data == nil {
		w.Fatalf("no %s in %v", key, w.store.Files())
	}
	changed := append([]byte{}, data...)
	changed[len(changed)-1] ^= 1
	w.put(key, changed)
}

// other is a log of the same keys whose last report before size is another one.
func (w *world) other(size int) *world {
	o := &world{T: w.T, now: w.now, tails: map[string]tail{}, store: logtest.NewMemory(), key: w.key}
	o.entries = append(o.entries, w.entries[:4]...)
	for n := len(o.entries); n < size; n++ {
		o.add(fmt.Sprintf("LS-2026-%06d", n-2), "REPORT_SUBMITTED", object{"issue_type": "bridge"})
	}
	o.head = o.publishTo(o.store, &translog.Checkpoint{Tree: translog.Empty()}, o.entries)
	return o
}

// jsonOf is a message with the newest checkpoint.
func jsonOf(w *world) []byte {
	return fmt.Appendf(nil, `{"checkpoint":%q,"entries":[]}`, w.head.Signed)
}

// rotate gives the log a new receipts key from a place on.
func (w *world) rotate(at int, named bool) {
	next := logtest.NewKey(w, logtest.Origin+"/receipts").VKey()
	if named {
		w.keyChanged("receipts", w.receipts.VKey(), next)
	} else {
		w.file(3)
	}
	w.keys["receipts_vkeys"] = []object{{"vkey": next, "from": at}, {"vkey": w.receipts.VKey(), "from": 0, "until": at}}
	w.keys["receipts_vkey"] = next
}

func (w *world) answer() {
	for _, n := range []string{"LS-2026-000001", "LS-2026-000002"} {
		w.add(n, "STATUS_CHANGED", object{"status": "verified", "old_status": "pending", "changed_by": object{"kind": "moderator"}})
	}
}

// promised makes a receipt for a report that then never enters the log.
func (w *world) promised() {
	w.file(3)
	w.options.Receipts = []string{w.receipt(5)}
	w.entries = w.entries[:5]
	delete(w.tails, "LS-2026-000003")
}

// TestARoundThatBreaksOffGoesOn takes the log away while it is read, and gives it back.
func TestARoundThatBreaksOffGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 5000 {
		w.file(n + 1)
	}
	w.publish()
	var left atomic.Int64 // files of a page are read at once
	left.Store(42)
	w.options.HTTP = &http.Client{Transport: limited(func(r *http.Request) error {
		if left.Add(-1) < 0 {
			return fmt.Errorf("no link for %s", r.URL.Path)
		}
		return nil
	})}
	f := follow.New(w.options, w.state)
	alarms, err := f.Round(t.Context())
	if err == nil || len(alarms) > 0 || f.State().Next != 4096 {
		t.Fatalf("%v, %v, %d entries read", alarms, err, f.State().Next)
	}
	left.Store(1000)
	alarms, err = f.Round(t.Context())
	if err != nil || len(alarms) > 0 || f.State().Next != 5003 {
		t.Fatalf("%v, %v, %d entries read", alarms, err, f.State().Next)
	}
	if rows := strings.Count(w.table.String(), "\n"); rows != 1+5003 {
		t.Errorf("%d rows", rows)
	}
}

type limited func(*http.Request) error

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l(r); err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestStateOfAnotherLogIsRefused keeps two logs apart.
func TestStateOfAnotherLogIsRefused(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/state"
	if err := follow.NewState("https://a.example").Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := follow.Load(path, "https://b.example"); err == nil {
		t.Error("the state of another log was taken")
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := follow.Load(path, "https://a.example"); err == nil {
		t.Error("half a state was taken")
	}
}

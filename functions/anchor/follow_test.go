package anchor_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/lafaek-log/follow"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// site serves the log of b as the function public does.
func (b *bundle) site() *httptest.Server {
	b.t.Helper()
	store := b.store()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/log/")
		if key != "keys" {
			data, err := store.Get(r.Context(), key, 1<<20)
			if err != nil {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write(data)
			return
		}
		batch := &database.Batch{}
		keys := ledger.AskKeySet(batch, b.config.Ledger, origin)
		if err := batch.Send(r.Context(), b.db); err != nil {
			b.t.Error(err)
			return
		}
		_ = json.NewEncoder(w).Encode(keys.Get())
	}))
	b.t.Cleanup(server.Close)
	return server
}

// TestSomebodyOutsideFollowsLogAndLedger reads what anchor published and sent, then what it looks like when somebody changes it.
func TestSomebodyOutsideFollowsLogAndLedger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	site := b.site()
	f := follow.New(follow.Options{URL: site.URL, Now: b.clock.Now}, follow.NewState(site.URL))
	round := func() string {
		t.Helper()
		alarms, err := f.Round(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, a := range alarms {
			out = append(out, a.String())
		}
		return strings.Join(out, "\n")
	}
	first := b.report()
	b.settle()
	if got := round(); got != "" {
		t.Error(got)
	}
	for range 5 {
		b.report()
	}
	b.move(first, "pending", "verified")
	b.settle()
	if got := round(); got != "" {
		t.Error(got)
	}
	s := f.State()
	events, messages := scan[int64](b, `SELECT count(*) FROM ledger_events`), scan[int64](b, `SELECT max(sequence_number) FROM log_messages`)
	if s.Next != events || s.Sequence != messages || !s.Began || len(s.Changes) != 3 {
		t.Errorf("%d of %d entries, %d of %d messages, %d keys", s.Next, events, s.Sequence, messages, len(s.Changes))
	}

	b.exec(`UPDATE log_keys SET vkey = replace(vkey, '+', '+0') WHERE role = 'receipts'`)
	if got := round(); !strings.Contains(got, "ALARM keys") {
		t.Errorf("a key was changed silently: %q", got)
	}
}

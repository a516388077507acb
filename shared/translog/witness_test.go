package translog_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

// testWitness is a witness that follows c2sp.org/tlog-witness.
type testWitness struct {
	t      *testing.T
	name   string
	mu     sync.Mutex
	tree   tlog.Tree
	asked  int
	answer func(w http.ResponseWriter, r *http.Request) bool // answers instead if it returns true
}

const witnessed = 1_795_910_400 // seconds since 1970

func newTestWitness(t *testing.T, name string) (*testWitness, translog.Witness) {
	w := &testWitness{t: t, name: name, tree: translog.Empty()}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	vkey, _ := witnessKeys(name)
	return w, translog.Witness{VKey: vkey, URL: server.URL + "/" + name}
}

func (w *testWitness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.asked++
	answer := w.answer
	w.mu.Unlock()
	if answer != nil && answer(rw, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/"+w.name+"/add-checkpoint" {
		http.Error(rw, "no such call", http.StatusNotFound)
		return
	}
	head, signed, _ := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil {
		http.Error(rw, "no old size", http.StatusBadRequest)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			http.Error(rw, "no hash", http.StatusBadRequest)
			return
		}
		proof = append(proof, h)
	}
	c, err := translog.OpenCheckpoint([]byte(signed), logtest.Origin, logtest.NewKey(w.t, logtest.Origin).VKey())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusForbidden)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if old != w.tree.N {
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintf(rw, "%d\n", w.tree.N)
		return
	}
	if err := translog.CheckConsistency(proof, c.Tree, w.tree); err != nil {
		http.Error(rw, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.tree = c.Tree
	text, _, _ := strings.Cut(signed, "\n\n")
	fmt.Fprint(rw, cosign(w.t, w.name, witnessed, text+"\n"))
}

// TestWitnessesConfirmEachStep grows a log. Its witnesses confirm every checkpoint, also from a size that the caller does
// not know.
func TestWitnessesConfirmEachStep(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	_, one := newTestWitness(t, "one.example")
	_, two := newTestWitness(t, "two.example")
	known := map[string]int64{}
	for _, sizes := range [][]int64{{1}, {1, 300}, {1, 300}, {1, 300, 70_000}} {
		c := logtest.Grown(t, store, sizes...)
		var lines []translog.Cosignature
		for _, a := range translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{one, two}, known) {
			if a.Err != nil || a.Size != c.N {
				t.Fatalf("%v, size %d", a.Err, a.Size)
			}
			lines = append(lines, *a.Cosignature)
		}
		signed := translog.AddCosignatures(translog.AddCosignatures(c.Signed, lines...), lines...)
		if got := strings.Count(string(signed), "— "); got != 3 {
			t.Errorf("%d signatures, want 3:\n%s", got, signed)
		}
		found, err := translog.Cosignatures(signed, one.VKey, two.VKey)
		if err != nil || len(found) != 2 || found[0] != lines[0] || !found[1].At.Equal(time.Unix(witnessed, 0)) {
			t.Errorf("%v %v", found, err)
		}
		if _, err := translog.OpenCheckpoint(signed, logtest.Origin, logtest.NewKey(t, logtest.Origin).VKey()); err != nil {
			t.Error(err)
		}
		known = map[string]int64{one.VKey: c.N, two.VKey: 7} // the second is asked with a wrong size
	}
}

// TestWitnessRefuses has a fork and a rollback.
func TestWitnessRefuses(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	server, w := newTestWitness(t, "one.example")
	ask := func(c *translog.Checkpoint, known int64) translog.Answer {
		return translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w}, map[string]int64{w.VKey: known})[0]
	}
	short := logtest.Grown(t, store, 200)
	long := logtest.Grown(t, store, 300)
	if a := ask(long, 0); a.Err != nil {
		t.Fatal(a.Err)
	}
	for _, known := range []int64{0, 200, 300} {
		if a := ask(short, known); !errors.Is(a.Err, translog.ErrRollback) || a.Size != 300 || a.Cosignature != nil {
			t.Errorf("rollback, known %d: %+v", known, a)
		}
	}
	server.tree.Hash[0] ^= 1 // it saw another log
	if a := ask(long, 300); a.Err == nil || !strings.Contains(a.Err.Error(), "answer 422") || a.Size != 300 {
		t.Errorf("fork: %+v", a)
	}
}

// TestWitnessesAreAskedAtOnce has two witnesses that answer only after both were asked, and one that never does.
func TestWitnessesAreAskedAtOnce(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 300)
	var both sync.WaitGroup
	both.Add(2)
	wait := func(http.ResponseWriter, *http.Request) bool {
		both.Done()
		both.Wait()
		return false
	}
	one, w1 := newTestWitness(t, "one.example")
	two, w2 := newTestWitness(t, "two.example")
	silent, w3 := newTestWitness(t, "silent.example")
	one.answer, two.answer = wait, wait
	silent.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
		return true
	}
	answers := translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w1, w3, w2}, nil)
	if answers[0].Err != nil || answers[1].Err == nil || answers[2].Err != nil {
		t.Errorf("%v", answers)
	}
}

// TestBadAnswersAreNotUsed has a witness that answers what it should not.
func TestBadAnswersAreNotUsed(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 300)
	text := strings.SplitAfter(string(c.Signed), "\n\n")[0]
	text = text[:len(text)-1]
	good := cosign(t, "one.example", witnessed, text)
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"nothing":            {200, ""},
		"a page":             {200, "<html>\n"},
		"another witness":    {200, cosign(t, "two.example", witnessed, text)},
		"no time":            {200, cosign(t, "one.example", 0, text)},
		"time out of range":  {200, cosign(t, "one.example", 1<<63, text)},
		"another checkpoint": {200, cosign(t, "one.example", witnessed, strings.Replace(text, "300", "301", 1))},
		"cut":                {200, good[:len(good)-9] + "\n"},
		"no newline":         {200, good[:len(good)-1]},
		"endless":            {200, strings.Repeat(good, 1000)},
		"created":            {201, good},
		"no size":            {409, "many\n"},
		"negative":           {409, "-1\n"},
		"the same size":      {409, "0\n"},
		"not here":           {404, "unknown origin"},
		"out of order":       {500, strings.Repeat("x", 1<<20)},
	} {
		server, w := newTestWitness(t, "one.example")
		server.answer = func(rw http.ResponseWriter, _ *http.Request) bool {
			rw.WriteHeader(answer.status)
			fmt.Fprint(rw, answer.body)
			return true
		}
		a := translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w}, nil)[0]
		if a.Err == nil || a.Cosignature != nil || a.Size != 0 || server.asked != 1 {
			t.Errorf("%s: %+v, asked %d times", name, a, server.asked)
		} else if len(a.Err.Error()) > 700 {
			t.Errorf("%s: an error of %d bytes", name, len(a.Err.Error()))
		}
	}
	// Of an endless answer only the beginning is read.
	server, w := newTestWitness(t, "one.example")
	server.answer = func(rw http.ResponseWriter, r *http.Request) bool {
		rw.WriteHeader(http.StatusTeapot)
		for r.Context().Err() == nil {
			fmt.Fprint(rw, strings.Repeat("x", 1000))
		}
		return true
	}
	if a := translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w}, nil)[0]; a.Err == nil || !strings.Contains(a.Err.Error(), "answer 418") {
		t.Errorf("endless: %v", a.Err)
	}
	// A witness that names another size each time is asked twice.
	server, w = newTestWitness(t, "one.example")
	server.answer = func(rw http.ResponseWriter, _ *http.Request) bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintf(rw, "%d\n", server.asked)
		return true
	}
	if a := translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w}, nil)[0]; a.Err == nil || server.asked != 2 {
		t.Errorf("%+v, asked %d times", a, server.asked)
	}
	// Lines of other keys beside its own are ignored.
	server, w = newTestWitness(t, "one.example")
	server.answer = func(rw http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(rw, cosign(t, "two.example", witnessed, "another text"), good)
		return true
	}
	a := translog.Cosign(t.Context(), http.DefaultClient, store, c, []translog.Witness{w}, nil)[0]
	if a.Err != nil || a.Cosignature.Line != good {
		t.Errorf("%+v", a)
	}
}

// TestForgedCosignatureIsFound has a cosignature in a stored checkpoint that is not the witness's.
func TestForgedCosignatureIsFound(t *testing.T) {
	t.Parallel()
	c := logtest.Grown(t, logtest.NewMemory(), 300)
	vkey, _ := witnessKeys("one.example")
	forged := append([]byte{}, c.Signed...)
	forged = append(forged, cosign(t, "one.example", witnessed, "another text\n")...)
	if found, err := translog.Cosignatures(forged, vkey); err == nil {
		t.Error(found)
	}
	if found, err := translog.Cosignatures(c.Signed, vkey); err != nil || len(found) != 0 {
		t.Error(found, err)
	}
}

func TestParseWitnesses(t *testing.T) {
	t.Parallel()
	one, _ := witnessKeys("one.example")
	two, _ := witnessKeys("two.example/w")
	got, err := translog.ParseWitnesses(" " + one + "=https://one.example/api/?a=b, " + two + "=http://localhost:7380/,")
	if err != nil || len(got) != 2 || got[0] != (translog.Witness{VKey: one, URL: "https://one.example/api/?a=b"}) ||
		got[1] != (translog.Witness{VKey: two, URL: "http://localhost:7380"}) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := translog.ParseWitnesses(""); err != nil || got != nil {
		t.Errorf("%v %v", got, err)
	}
	log := logtest.NewKey(t, logtest.Origin).VKey()
	for _, bad := range []string{one, one + "=", one + "=one.example", one + "=ftp://one.example", log + "=https://one.example",
		"one.example+00000000" + one[20:] + "=https://one.example", "+" + one + "=https://one.example", one[:30] + "=https://one.example"} {
		if got, err := translog.ParseWitnesses(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// Package follow watches a public log from outside: it reads every entry once, checks that the log only grows, and says what
// breaks a promise.
//
// Life of a round: read the messages of the ledger and the checkpoint; check that the log is a continuation of what was seen;
// read the new entries in pieces; compare what was read with the ledger, the keys and the receipts; store the state.
package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/translog"
)

// Kind is what an alarm is about.
type Kind string

// The kinds of alarms.
const (
	Fork     Kind = "fork"       // the log shows two histories
	Rollback Kind = "rollback"   // the log has become smaller
	Tampered Kind = "tampered"   // files do not fit the signed root
	Chain    Kind = "chain"      // an event of a report is missing, or is there twice
	Number   Kind = "number"     // a report number is missing
	Time     Kind = "time"       // time runs back
	Late     Kind = "late"       // an entry came later than promised
	Promise  Kind = "promise"    // a receipt is not honoured
	Ledger   Kind = "ledger"     // a message of the ledger does not fit the log
	Keys     Kind = "keys"       // keys and KEY_CHANGED disagree
	Answer   Kind = "unanswered" // nobody answered a report in time
	Omitted  Kind = "omitted"    // the site shows a report that the log does not have
	Silent   Kind = "silent"     // the log does not grow
	Entry    Kind = "entry"      // an entry is no event
	Reported Kind = "incident"   // the log itself reports an incident
)

// Alarm is one thing that is wrong.
type Alarm struct {
	Kind Kind
	Text string
}

func (a Alarm) String() string { return fmt.Sprintf("ALARM %s: %s", a.Kind, a.Text) }

// Options say what to follow.
type Options struct {
	// URL is the address before /log/checkpoint, such as https://lafaekstreet.example.
	URL string
	// Keys is a copy of the answer of /log/keys from a source that you trust. Empty: those of the first round are trusted.
	Keys []byte
	// Receipts are receipts that the log has to honour: notes, or JSON with a note.
	Receipts []string
	// AnswerDays is after how many days a report without an answer is an alarm; 0: never.
	AnswerDays int
	// QuietDays is after how many days without a new entry there is an alarm; 0: never.
	QuietDays int
	// CSV gets one row for each entry; nil for none.
	CSV io.Writer
	// HTTP reads the log and the mirror node; nil for a client with a time limit of 30 seconds.
	HTTP *http.Client
	// Now is the clock; nil for that of the machine.
	Now func() time.Time
}

// page is how many entries are read and checked at once.
const page = 4096

// slack is by how much clocks may differ.
const slack = time.Minute

// Follower follows one log.
type Follower struct {
	o      Options
	state  *State
	keys   *keySet
	files  *site
	alarms []Alarm
	raised map[string]bool // alarms of this process, so that each is raised once
}

// New returns a follower that goes on from state.
func New(o Options, state *State) *Follower {
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	return &Follower{o: o, state: state, files: newSite(o.HTTP, o.URL+"/log/"), raised: make(map[string]bool)}
}

// State is what the follower knows. Store it after a round, whether the round failed or not.
func (f *Follower) State() *State { return f.state }

// alarm raises an alarm, once.
func (f *Follower) alarm(k Kind, format string, args ...any) {
	a := Alarm{k, fmt.Sprintf(format, args...)}
	if f.raised[a.String()] || len(f.raised) > maxAlarms {
		return
	}
	f.raised[a.String()] = true
	f.alarms = append(f.alarms, a)
}

// maxAlarms bounds the alarms of one process.
const maxAlarms = 10000

// Round does one round and returns the alarms that are new. An error says that something could not be read: try again later.
func (f *Follower) Round(ctx context.Context) ([]Alarm, error) {
	f.alarms = nil
	err := f.round(ctx)
	if errors.Is(err, translog.ErrTampered) {
		f.alarm(Tampered, "%v", err)
		err = nil
	}
	return f.alarms, err
}

func (f *Follower) round(ctx context.Context) error {
	if err := f.readKeys(ctx); err != nil {
		return err
	}
	// The ledger first: a checkpoint is published before it is sent there.
	messages, err := f.messages(ctx)
	if err != nil {
		return err
	}
	at := f.o.Now()
	head, err := f.head(ctx)
	if err != nil || head == nil {
		return err
	}
	if err := f.read(ctx, head); err != nil {
		return err
	}
	f.state.ReadAt = at
	if err := f.compareLedger(ctx, head, messages); err != nil {
		return err
	}
	f.compareKeys()
	if err := f.compareReceipts(ctx, head); err != nil {
		return err
	}
	f.numbers()
	f.answers()
	f.growth()
	return f.compareSite(ctx, at)
}

// growth raises an alarm if the log has not grown for too long. An operator who stops publishing shows an old checkpoint, which
// is signed as well as any.
func (f *Follower) growth() {
	if newest := f.state.Newest; f.o.QuietDays > 0 && newest.AddDate(0, 0, f.o.QuietDays).Before(f.o.Now()) {
		f.alarm(Silent, "the log does not grow: its newest entry is of %s, longer ago than allowed (days: %d)", newest.UTC().Format(time.RFC3339), f.o.QuietDays)
	}
}

// head reads the newest checkpoint and checks that it continues the last one. It returns nil if there is nothing to go on
// with.
func (f *Follower) head(ctx context.Context) (*translog.Checkpoint, error) {
	signed, err := f.files.Get(ctx, translog.CheckpointKey, 1<<16)
	if errors.Is(err, translog.ErrNotFound) && f.state.Size == 0 {
		return nil, nil // nothing is published yet
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	head, err := translog.OpenCheckpoint(signed, f.state.Origin, f.keys.log()...)
	if err != nil {
		f.alarm(Tampered, "the checkpoint is not signed by a known key: %v", err)
		return nil, nil
	}
	if _, err := translog.Cosignatures(signed, f.keys.Witnesses...); err != nil {
		f.alarm(Tampered, "a witness's line on the checkpoint: %v", err)
	}
	if !f.keys.signs(head, string(signed)) {
		f.alarm(Keys, "the checkpoint of size %d is signed by a key that is not valid there", head.N)
	}
	if f.state.Checkpoint == "" {
		f.state.Checkpoint, f.state.Size, f.state.Root = string(signed), head.N, head.Hash.String()
		return head, nil
	}
	ok, err := f.continues(ctx, head)
	if err != nil || !ok {
		return nil, err
	}
	f.state.Checkpoint, f.state.Size, f.state.Root = string(signed), head.N, head.Hash.String()
	return head, nil
}

// continues reports whether head is the kept tree, or a larger one that begins with it.
func (f *Follower) continues(ctx context.Context, head *translog.Checkpoint) (bool, error) {
	root, err := tlog.ParseHash(f.state.Root)
	if err != nil {
		return false, fmt.Errorf("root in the state: %w", err)
	}
	kept := tlog.Tree{N: f.state.Size, Hash: root}
	if head.N < kept.N {
		f.alarm(Rollback, "the log had %d entries and has %d now", kept.N, head.N)
		return false, nil
	}
	if ok, err := f.begins(ctx, head.Tree, kept); err != nil || ok {
		return ok, err
	}
	f.alarm(Fork, "the tree of %d entries does not begin with that of %d entries; keep both signed checkpoints:\n%s%s",
		head.N, kept.N, f.state.Checkpoint, head.Signed)
	return false, nil
}

// begins reports whether the tree begins with another one.
func (f *Follower) begins(ctx context.Context, tree, start tlog.Tree) (bool, error) {
	if start.N == tree.N {
		return start.Hash == tree.Hash, nil
	}
	proof, err := translog.ProveConsistency(ctx, f.files, tree, start.N)
	if err != nil {
		return false, fmt.Errorf("read tiles: %w", err)
	}
	return translog.CheckConsistency(proof, tree, start) == nil, nil
}

// read reads the entries that are new in head. Each is checked against the signed root.
func (f *Follower) read(ctx context.Context, head *translog.Checkpoint) error {
	entries := translog.Published(f.files, head.Tree)
	for f.state.Next < head.N {
		from := f.state.Next
		batch, err := entries(ctx, from, min(head.N, from+page-from%page))
		if err != nil {
			return fmt.Errorf("read entries from %d: %w", from, err)
		}
		for _, raw := range batch {
			if err := f.entry(raw); err != nil {
				return err
			}
		}
		f.files.forget()
	}
	return nil
}

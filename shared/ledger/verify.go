package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/translog"
)

// Verification is the result of checking a report's events.
type Verification struct {
	// Verified is true only if every check is OK.
	Verified bool    `json:"verified"`
	Checks   []Check `json:"checks"`
	// NotChecked says in sentences what was not compared.
	NotChecked []string `json:"not_checked" doc:"What was not compared, in sentences"`
}

// Check is one property over all events of the report.
type Check struct {
	_      struct{} `schema:"VerificationCheck"`
	Name   string   `json:"name" enum:"hash,chain,report,content,images,salts,history,comments,assignment,incident,anchored,checkpoint,inclusion,message,payer,signature,running_hash"`
	OK     bool     `json:"ok"`
	Detail string   `json:"detail" doc:"what was compared, or the first thing that differs"`
	// Waiting is true if the check is not OK only because an event is not published, or not confirmed on the public ledger, yet.
	Waiting bool `json:"-"`
}

// VerifyDescription describes the routes that answer a Verification.
const VerifyDescription = "Computes again what the report, its history, comments and pictures say, the hashes and the chain of its events, and compares each event with the " +
	"published log, and the log's checkpoint with the message that the mirror node of the ledger has. not_checked says what was not compared."

// MirrorReader is the part of Mirror that verification uses.
type MirrorReader interface {
	Messages(ctx context.Context, topicID string, from uint64, limit int) ([]*TopicMessage, error)
	Transaction(ctx context.Context, id string) (*MirrorTransaction, error)
	Account(ctx context.Context, id string) (*MirrorAccount, error)
}

// Sources are what Verify compares the database with.
type Sources struct {
	Log    translog.Reader // the published log
	Mirror MirrorReader    // the mirror node of the ledger
}

// Verify computes everything about a report's events again and trusts neither the database nor earlier confirmations: what
// the report and its rows say now, hashes, chain, places in the published log, and the messages, payers and signatures on
// the mirror node. Where a gate does not let the caller read entries from before the public log, and the report has some, the
// details name no value.
//
// It fails with ErrNoReport if there is no such report. It fails with ErrMirrorUnavailable or ErrLogUnavailable if one of
// these did not answer; the result is then unknown.
func Verify(ctx context.Context, q database.Querier, from Sources, c Config, report uuid.UUID, gates ...Gate) (*Verification, error) {
	v := newVerifier(from, c)
	f, r, err := v.records(ctx, q, report, gates...)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	newest, err := v.newestCheckpoint(ctx, r.head)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	published := int64(0)
	if newest != nil {
		published = newest.N
		if err := v.proven(ctx, newest, r.head, f.leaves); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	v.waits(f, r.Shown, published)
	if c.Anchored() {
		if err := v.ledger(ctx, q, newest, r.head, f.leaves); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	v.leaveOut("The bytes of the pictures: their recorded hashes were compared.")
	out := v.result(f.count)
	if !c.Anchored() {
		out.drop("message", "payer", "signature", "running_hash")
	}
	return out, nil
}

// VerifyRecords is Verify without the published log and the ledger: it checks what the database alone can prove.
func VerifyRecords(ctx context.Context, q database.Querier, c Config, report uuid.UUID) (*Verification, error) {
	v := newVerifier(Sources{}, c)
	f, r, err := v.records(ctx, q, report)
	if err != nil {
		return nil, fmt.Errorf("verify records: %w", err)
	}
	v.waits(f, r.Shown, r.head.Size)
	v.leaveOut("The published log and the ledger: the database alone was read.")
	out := v.result(f.count)
	out.drop("checkpoint", "inclusion", "message", "payer", "signature", "running_hash")
	return out, nil
}

// records checks the report and its rows against its events.
func (v *verifier) records(ctx context.Context, q database.Querier, report uuid.UUID, gates ...Gate) (*fold, *records, error) {
	r, events, err := readRecords(ctx, q, report, gates...)
	if err != nil {
		return nil, nil, err
	}
	f := newFold()
	if err := events.each(ctx, q, report, func(l *link) { v.chain(f, r.number, l) }); err != nil {
		return nil, nil, err
	}
	v.withheld = r.withheld && f.first < 2
	v.state(f, r)
	v.rows(f, r)
	v.incident(f)
	v.leaveOut("When the report last changed, and how often.")
	v.leaveOut("What the reporter or staff alone see of it: the words before a moderator changed them, appeals, and the note of a removal.")
	return f, r, nil
}

// verifier collects the first failure of each property.
type verifier struct {
	log     translog.Reader
	mirror  MirrorReader
	config  Config
	breaks  map[string]string
	notes   map[string]string
	left    []string // what was not compared
	waiting bool     // an event is not published or not confirmed yet
	lost    bool     // the report has no event, or says that more is on the ledger than is
	// withheld says that the details name no value of the report.
	withheld bool
	keys     map[string][]byte // the mirror node's answers, by account
	topics   []string          // ours, the earlier ones too
}

func newVerifier(from Sources, c Config) *verifier {
	return &verifier{log: from.Log, mirror: from.Mirror, config: c, breaks: map[string]string{}, notes: map[string]string{}, keys: map[string][]byte{}}
}

// fail records a failure of a property, unless it has one.
func (v *verifier) fail(name, format string, args ...any) {
	if v.breaks[name] == "" {
		v.breaks[name] = fmt.Sprintf(format, args...)
	}
}

// expect records a failure of the property if err is not nil.
func (v *verifier) expect(name string, seq int, err error) {
	if err != nil {
		v.fail(name, "event %d: %s", seq, err)
	}
}

// leaveOut records what was not compared.
func (v *verifier) leaveOut(sentence string) {
	if !slices.Contains(v.left, sentence) {
		v.left = append(v.left, sentence)
	}
}

// properties in the order they are reported.
var properties = []struct{ name, ok string }{
	{"hash", "every payload hashes to what is recorded, and says what its row says"},
	{"chain", "the events follow one another without a gap"},
	{"report", "the report is in the state its newest event records"},
	{"content", "words, exact place, times and author are those of the newest event"},
	{"images", "the pictures are those of the newest event"},
	{"salts", "every salted hash can be computed again, or an event says that it was erased"},
	{"history", "the status history is that of the events, with its notes"},
	{"comments", "the comments are those of the events"},
	{"assignment", "the report is assigned to whom the events say"},
	{"incident", "no event says that the report did not hold"},
	{"anchored", "every event is in the published log, and confirmed on the public ledger where there is one"},
	{"checkpoint", "the checkpoint of the published log is signed by the log's key"},
	{"inclusion", "every event is the entry of the log at its place"},
	{"message", "the mirror node holds the same bytes, and their checkpoint is one of the log"},
	{"payer", "every message was paid for by our account"},
	{"signature", "every message was submitted by a transaction we signed"},
	{"running_hash", "the topic's running hash agrees"},
}

func (v *verifier) result(events int) *Verification {
	out := &Verification{Verified: events > 0, NotChecked: append([]string{}, v.left...)}
	for _, p := range properties {
		c := Check{Name: p.name, OK: v.breaks[p.name] == "", Detail: p.ok}
		if note := v.notes[p.name]; note != "" {
			c.Detail = note
		}
		if !c.OK {
			c.Detail = v.breaks[p.name]
			c.Waiting = p.name == "anchored" && v.waiting && !v.lost
			out.Verified = false
		}
		if v.withheld && p.name != "anchored" {
			c.Detail = withheldDetail(c.OK, p.ok)
		}
		out.Checks = append(out.Checks, c)
	}
	return out
}

// withheldDetail is the detail of a check for a caller who may not read what the events say.
func withheldDetail(ok bool, detail string) string {
	if ok {
		return detail
	}
	return "a difference was found; its reporter and staff see which"
}

// drop takes checks out that were not made.
func (v *Verification) drop(names ...string) {
	v.Checks = slices.DeleteFunc(v.Checks, func(c Check) bool { return slices.Contains(names, c.Name) })
}

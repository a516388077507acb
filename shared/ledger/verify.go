package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// Verification is the result of checking a report's events.
type Verification struct {
	// Verified is true only if every check is OK.
	Verified bool    `json:"verified"`
	Checks   []Check `json:"checks"`
}

// Check is one property over all events of the report.
type Check struct {
	Name   string `json:"name" enum:"hash,chain,report,content,images,anchored,inclusion,message,payer,signature,running_hash"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail" doc:"what was compared, or the first thing that differs"`
	// Waiting is true if the check is not OK only because an event is not confirmed on the public ledger yet.
	Waiting bool `json:"-"`
}

// MirrorReader is the part of Mirror that verification uses.
type MirrorReader interface {
	Messages(ctx context.Context, topicID string, from uint64, limit int) ([]*TopicMessage, error)
	Transaction(ctx context.Context, id string) (*MirrorTransaction, error)
	Account(ctx context.Context, id string) (*MirrorAccount, error)
}

// Verify computes everything about a report's events again and trusts neither the database nor earlier confirmations:
// hashes, chain, inclusion proofs, and the messages, payers and signatures on the mirror node. Where a gate does not let the
// caller read what the events say, the details name no value.
//
// It fails with ErrNoReport if there is no such report. It fails with ErrMirrorUnavailable if the mirror node did not
// answer; the result is then unknown.
func Verify(ctx context.Context, q database.Querier, mirror MirrorReader, c Config, report uuid.UUID, gates ...Gate) (*Verification, error) {
	s, err := readRecords(ctx, q, report, gates...)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	links := s.links
	v := newVerifier(mirror, c)
	v.withheld = s.withheld
	v.chain(links)
	v.current(links, s.snapshot, s.salt)
	if err := v.ledger(ctx, links); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return v.result(len(links)), nil
}

// VerifyRecords is Verify without the public ledger: it checks what the database alone can prove. The checks of message,
// payer, signature and running hash are left out.
func VerifyRecords(ctx context.Context, q database.Querier, c Config, report uuid.UUID) (*Verification, error) {
	s, err := readRecords(ctx, q, report)
	if err != nil {
		return nil, fmt.Errorf("verify records: %w", err)
	}
	links := s.links
	v := newVerifier(nil, c)
	v.chain(links)
	v.current(links, s.snapshot, s.salt)
	for i := range links {
		if v.anchored(&links[i]) {
			v.expect("inclusion", links[i].Seq, links[i].included())
		}
	}
	out := v.result(len(links))
	out.Checks = slices.DeleteFunc(out.Checks, func(c Check) bool {
		return slices.Contains([]string{"message", "payer", "signature", "running_hash"}, c.Name)
	})
	return out, nil
}

// verifier collects the first failure of each property.
type verifier struct {
	mirror  MirrorReader
	config  Config
	breaks  map[string]string
	notes   map[string]string
	waiting bool // an event is not confirmed yet
	lost    bool // an event was never queued for the ledger
	// withheld says that the details name no value of the report.
	withheld bool
	// evidence (by submission) and keys (by account) hold the mirror node's answers: each is asked for once.
	evidence map[uuid.UUID]*evidence
	keys     map[string][]byte
}

func newVerifier(mirror MirrorReader, c Config) *verifier {
	return &verifier{mirror: mirror, config: c, breaks: map[string]string{}, notes: map[string]string{},
		evidence: map[uuid.UUID]*evidence{}, keys: map[string][]byte{}}
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

// properties in the order they are reported.
var properties = []struct{ name, ok string }{
	{"hash", "every payload hashes to what is recorded, and says what its row says"},
	{"chain", "the events follow one another without a gap"},
	{"report", "the report is in the state its newest event records"},
	{"content", "the report's text, place and time are those of its newest event"},
	{"images", "the photographs are those of its newest event"},
	{"anchored", "every event is confirmed on the public ledger"},
	{"inclusion", "every event is its message, or a leaf under the root in it"},
	{"message", "the mirror node holds the same bytes"},
	{"payer", "every message was paid for by our account"},
	{"signature", "every message was submitted by a transaction we signed"},
	{"running_hash", "the topic's running hash agrees"},
}

func (v *verifier) result(events int) *Verification {
	out := &Verification{Verified: events > 0}
	if events == 0 {
		v.lost = true
		v.fail("anchored", "the report has no events")
	}
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
	return "a difference was found; it is shown after the verdict"
}

// ledger compares the events with the public ledger.
func (v *verifier) ledger(ctx context.Context, links []link) error {
	for i := range links {
		l := &links[i]
		if !v.anchored(l) {
			continue
		}
		v.expect("inclusion", l.Seq, l.included())
		e, err := v.evidenceOf(ctx, l)
		if errors.Is(err, ErrMirrorUnavailable) {
			return err
		}
		if err != nil {
			v.expect("message", l.Seq, err)
			continue
		}
		v.compare(l, e)
	}
	return nil
}

// anchored reports whether the event is recorded as confirmed. If not, it records a failure of the property.
func (v *verifier) anchored(l *link) bool {
	switch {
	case l.AnchoredSeq == nil || *l.AnchoredSeq != l.Seq:
		v.lost = true
		v.fail("anchored", "event %d was never queued for the ledger: its row was not written by us", l.Seq)
	case l.SubmissionID == nil:
		v.waiting = true
		v.fail("anchored", "event %d waits to be written to the ledger", l.Seq)
	case *l.State != SubmissionConfirmed:
		v.waiting = true
		v.fail("anchored", "event %d is %s, not yet confirmed", l.Seq, statusOf(l.State))
	default:
		return true
	}
	return false
}

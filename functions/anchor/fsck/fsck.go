// Package fsck checks the ledger again from its sources: the records of every
// report, every message of the topics on the mirror node, and every photograph in
// storage. It lists each difference.
//
// It only reads, trusts no earlier confirmation, and needs no key.
package fsck

import (
	"context"
	"fmt"
	"io"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// Mirror is the part of ledger.Mirror that fsck uses.
type Mirror interface {
	Messages(ctx context.Context, topicID string, from uint64, limit int) ([]*ledger.TopicMessage, error)
	Transaction(ctx context.Context, id string) (*ledger.MirrorTransaction, error)
}

// Pictures reads renditions. It fails with storage.ErrNotFound for a missing one.
type Pictures interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
}

// Check is one run over everything.
type Check struct {
	DB     database.Querier
	Mirror Mirror
	// Pictures may be nil: then photographs are not checked.
	Pictures Pictures
	Config   ledger.Config
	// Signatures also checks the transaction of every message, with one call each.
	Signatures bool
	// Out gets a line for each finding, and a summary.
	Out io.Writer

	result Result
}

// Result has the numbers of checked things, and the findings.
type Result struct {
	Reports, Messages, Submissions, Pictures int
	// Foreign is the number of messages of other accounts on our topics. They are
	// no finding. A submit key prevents them.
	Foreign int
	// Waiting is the number of reports with an event that is not confirmed yet.
	Waiting  int
	Findings []Finding
}

// Finding is a check that failed.
type Finding struct {
	Where  string // the report number, the topic and message, the picture's key
	Check  string
	Detail string
}

// maxFindings is the number of findings at which a run stops.
const maxFindings = 1000

// Run checks records, messages, submissions and pictures, in this order. After an
// error the Result has the findings of the checks before it.
func (c *Check) Run(ctx context.Context) (*Result, error) {
	for _, part := range []func(context.Context) error{c.records, c.messages, c.submissions, c.pictures} {
		if err := part(ctx); err != nil {
			return &c.result, err
		}
	}
	r := &c.result
	c.printf("%d reports, %d messages of %d submissions, %d pictures checked; %d reports wait for the ledger; %d messages of others\n",
		r.Reports, r.Messages, r.Submissions, r.Pictures, r.Waiting, r.Foreign)
	if len(r.Findings) == 0 {
		c.printf("no findings\n")
	} else {
		f := r.Findings[0]
		c.printf("%d findings; the first: %s: %s: %s\n", len(r.Findings), f.Where, f.Check, f.Detail)
	}
	return r, nil
}

// find adds a finding. It fails, which ends the run, at maxFindings.
func (c *Check) find(where, check, format string, args ...any) error {
	f := Finding{Where: where, Check: check, Detail: fmt.Sprintf(format, args...)}
	c.result.Findings = append(c.result.Findings, f)
	c.printf("%s: %s: %s\n", f.Where, f.Check, f.Detail)
	if len(c.result.Findings) >= maxFindings {
		return fmt.Errorf("fsck: stopped after %d findings", maxFindings)
	}
	return nil
}

func (c *Check) printf(format string, args ...any) {
	if c.Out != nil {
		_, _ = fmt.Fprintf(c.Out, format, args...)
	}
}

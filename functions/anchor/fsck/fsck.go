// Package fsck re-derives everything the ledger promises and names what breaks
// it: the records of every report, every message of the topics as the mirror
// node holds them, and every photograph in storage.
//
// It reads only, trusts no earlier confirmation, and needs no key.
package fsck

import (
	"context"
	"fmt"
	"io"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// Mirror is what fsck asks of a mirror node.
type Mirror interface {
	Messages(ctx context.Context, topicID string, from uint64, limit int) ([]*ledger.TopicMessage, error)
	Transaction(ctx context.Context, id string) (*ledger.MirrorTransaction, error)
}

// Pictures reads renditions; storage.ErrNotFound for what is not there.
type Pictures interface {
	Read(ctx context.Context, key string, limit int64) ([]byte, error)
}

// Check is one run over everything.
type Check struct {
	DB     database.Querier
	Mirror Mirror
	// Pictures may be nil: then photographs are not looked at.
	Pictures Pictures
	Config   ledger.Config
	// Signatures also looks up the transaction of every message, one call each.
	Signatures bool
	// Out gets a line for each finding and a summary.
	Out io.Writer

	result Result
}

// Result counts what was looked at and what was found.
type Result struct {
	Reports, Messages, Submissions, Pictures int
	// Foreign are messages of other accounts on our topics. They prove nothing
	// and break nothing; a submit key keeps them out.
	Foreign int
	// Waiting are reports with events that are not confirmed yet.
	Waiting  int
	Findings []Finding
}

// Finding is a broken promise.
type Finding struct {
	Where  string // the report number, the topic and message, the picture's key
	Check  string
	Detail string
}

// maxFindings ends a run that finds everything broken.
const maxFindings = 1000

// Run checks records, then messages, then pictures. An error means it could not
// finish; what it found is in the Result.
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
		c.printf("everything holds\n")
	} else {
		f := r.Findings[0]
		c.printf("%d findings; the first break: %s: %s: %s\n", len(r.Findings), f.Where, f.Check, f.Detail)
	}
	return r, nil
}

// find records a broken promise; an error ends the run.
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

// Package fsck checks the public log and everything it vouches for again, from the sources: the table of events against the
// published log, the log against every message on the ledger, every report against its events, every picture against its
// hash. It lists each difference.
//
// It only reads, trusts no earlier confirmation, and needs no key.
package fsck

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/translog"
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
	DB database.Querier
	// Mirror may be nil: then the messages of the ledger are not checked.
	Mirror Mirror
	// Log is the bucket of the published log. It may be nil: then the tree is computed from the table alone.
	Log translog.Reader
	// Pictures is the bucket of the pictures. It may be nil: then their bytes are not checked.
	Pictures Pictures
	Config   ledger.Config
	// Signatures also checks the transaction of every message, with one call each.
	Signatures bool
	// Out gets a line for each finding, and a summary.
	Out io.Writer

	result Result
	// checkpoints are those that somebody else may hold, by size: the log must agree with each.
	checkpoints map[int64][]checkpoint
	// newest is the sequence number of the newest message of each topic that was read.
	newest map[string]uint64
}

// checkpoint is a promise: the log had this root at some size.
type checkpoint struct {
	root  tlog.Hash
	where string
}

// Result has the numbers of checked things, and the findings.
type Result struct {
	Entries, Reports, Messages, Pictures int
	// Foreign is the number of messages of other accounts on our topics. They are
	// no finding. A submit key prevents them.
	Foreign int
	// Waiting is the number of reports with an event that is not in the log, or not on the ledger, yet.
	Waiting int
	// Found is the number of findings. Findings has the first of them.
	Found    int
	Findings []Finding
}

// Finding is a check that failed.
type Finding struct {
	Where  string // the report number, the place in the log, the topic and message
	Check  string
	Detail string
}

// maxKept is the most findings that a Result keeps. Every finding is printed.
const maxKept = 1000

// Run checks messages, log, report numbers, reports and pictures, in this order. After an error the Result has the findings
// of the checks before it.
func (c *Check) Run(ctx context.Context) (*Result, error) {
	c.result, c.checkpoints, c.newest = Result{}, map[int64][]checkpoint{}, map[string]uint64{}
	for _, part := range []func(context.Context) error{c.messages, c.sent, c.covers, c.archive, c.log, c.numbers, c.records, c.pictures} {
		if err := part(ctx); err != nil {
			return &c.result, err
		}
	}
	r := &c.result
	c.printf("%d entries of the log, %d reports, %d messages, %d pictures checked; %d reports wait for log or ledger; %d messages of others\n",
		r.Entries, r.Reports, r.Messages, r.Pictures, r.Waiting, r.Foreign)
	for _, left := range []struct {
		out  bool
		what string
	}{
		{c.Log == nil, "the bucket of the log (LOG_BUCKET)"}, {c.Mirror == nil, "the messages on the ledger (HEDERA_ACCOUNT_ID, HEDERA_TOPIC_REPORTS)"},
		{c.Pictures == nil, "the bytes of pictures (MEDIA_BUCKET)"},
	} {
		if left.out {
			c.printf("not checked: %s\n", left.what)
		}
	}
	if r.Found == 0 {
		c.printf("no findings\n")
	} else {
		f := r.Findings[0]
		c.printf("%d findings; the first: %s: %s: %s\n", r.Found, f.Where, f.Check, f.Detail)
	}
	return r, nil
}

// find adds a finding.
func (c *Check) find(where, check, format string, args ...any) {
	f := Finding{Where: where, Check: check, Detail: fmt.Sprintf(format, args...)}
	c.result.Found++
	if len(c.result.Findings) < maxKept {
		c.result.Findings = append(c.result.Findings, f)
	}
	c.printf("%s: %s: %s\n", f.Where, f.Check, f.Detail)
}

func (c *Check) printf(format string, args ...any) {
	if c.Out != nil {
		_, _ = fmt.Fprintf(c.Out, format, args...)
	}
}

package public

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/translog"
)

// maxProofs is how many entries of a report are proved in one answer: each reads files of the log.
const maxProofs = 100

func (p *Public) registerProofs(a *httpapi.API) {
	one := read("/log/proof/{log_index}", "Prove that an entry is in the public log",
		"The proof of c2sp.org/tlog-proof; its line extra carries the entry. 404 not_published for an index that the log does not have yet.")
	one.Cache = httpapi.Brief
	content(&one, "Proof", "text/plain")
	httpapi.Register(a, one.WithProblems(errNotPublished), p.entryProof)

	all := read("/api/v1/public/blockchain/report/{id}/proof", "Prove that the entries of a report are in the public log",
		fmt.Sprintf("A proof as of /log/proof for each entry of the report that is published, in order, with a line -- between two. At most %d, "+
			"from the log index from on; the header X-Truncated says when there are more.", maxProofs))
	all.Cache = httpapi.Brief
	content(&all, "Proofs", "text/plain")
	httpapi.Register(a, all.WithProblems(errNotPublished, report.ErrNotFound), p.reportProof)
}

type entryProofInput struct {
	Index   int64 `path:"log_index" minimum:"0" maximum:"1099511627775" doc:"Place of the entry in the log, from 0"`
	written string
}

// Resolve implements huma.Resolver.
func (in *entryProofInput) Resolve(hc huma.Context) []error {
	in.written = hc.Param("log_index")
	return nil
}

func (p *Public) entryProof(ctx context.Context, in *entryProofInput) (*bytesOutput, error) {
	if in.written != strconv.FormatInt(in.Index, 10) {
		return nil, errNotPublished // a place has one address, and caches have one answer
	}
	batch := &database.Batch{}
	head := askLogHead(batch)
	if err := batch.Send(ctx, p.db); err != nil {
		return nil, fmt.Errorf("read head of the log: %w", err)
	}
	text, err := p.log.prove(ctx, head.Get(), []int64{in.Index})
	if err != nil {
		return nil, err
	}
	return &bytesOutput{ContentType: mediaNote, Body: text}, nil
}

type reportProofInput struct {
	report.RefInput
	From int64 `query:"from" minimum:"0" doc:"Log index of the first entry that is wanted"`
}

type reportProofOutput struct {
	ContentType string `header:"Content-Type"`
	Truncated   string `header:"X-Truncated" doc:"true when the report has more entries than these"`
	Body        []byte
}

func (p *Public) reportProof(ctx context.Context, in *reportProofInput) (*reportProofOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	batch := &database.Batch{}
	head := askLogHead(batch)
	reportread.Public().MayReadRecord(batch, about)
	entries := database.AskRows(batch, pgx.RowTo[int64], `
		SELECT log_index FROM ledger_events WHERE report_id = `+report.IDSQL+` AND log_index >= $3 ORDER BY seq LIMIT $4`, about.Args(in.From, maxProofs+1)...)
	if err := batch.Send(ctx, p.db); err != nil {
		return nil, fmt.Errorf("read entries of the report: %w", err)
	}
	indexes := entries.Get()
	out := &reportProofOutput{ContentType: mediaNote}
	if len(indexes) > maxProofs {
		indexes, out.Truncated = indexes[:maxProofs], "true"
	}
	out.Body, err = p.log.prove(ctx, head.Get(), indexes)
	return out, err
}

// logHead is how far the log is published.
type logHead struct {
	Origin     *string
	Checkpoint *string
	VKeys      []string // all keys of checkpoints
}

func askLogHead(p database.Pipeline) *database.Ask[logHead] {
	return database.AskRow(p, pgx.RowToStructByPos[logHead],
		`SELECT origin, checkpoint, ARRAY(SELECT vkey FROM log_keys WHERE role = 'log') FROM log_head`)
}

// prove returns the text of the proofs of those entries that the log has at h. It fails with errNotPublished if it has none.
func (l *publicLog) prove(ctx context.Context, h logHead, indexes []int64) ([]byte, error) {
	if h.Origin != nil && *h.Origin != l.origin {
		return nil, fmt.Errorf("%w: %q is configured, %q is kept", ledger.ErrOtherOrigin, l.origin, *h.Origin)
	}
	if h.Checkpoint == nil {
		return nil, errNotPublished
	}
	c, err := translog.OpenCheckpoint([]byte(*h.Checkpoint), l.origin, h.VKeys...)
	if err != nil {
		return nil, fmt.Errorf("open head of the log: %w", err)
	}
	var published []int64
	for _, index := range indexes {
		if index < c.N {
			published = append(published, index)
		}
	}
	if len(published) == 0 {
		return nil, errNotPublished
	}
	proofs, err := translog.Prove(ctx, l.files, c, published...)
	if errors.Is(err, translog.ErrTampered) {
		return nil, fmt.Errorf("prove entries: %w", err)
	}
	if err != nil {
		return nil, logUnavailable(err)
	}
	return []byte(translog.JoinProofs(proofs)), nil
}

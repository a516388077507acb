package fsck

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/translog"
)

// pageSize is the number of rows that one query reads.
const pageSize = 500

// archivedMessage is a message of before the public log: the payload of one event, or the root of a batch of events.
type archivedMessage struct {
	ID        uuid.UUID
	Message   []byte
	Batch     int
	Confirmed bool
}

// archive checks that the messages of before the first checkpoint still are those of their events.
func (c *Check) archive(ctx context.Context) error {
	const query = `
SELECT id, message, batch_size, state = 'confirmed' FROM ledger_submissions WHERE id > $1 ORDER BY id LIMIT $2`
	var last uuid.UUID
	for {
		rows, err := c.DB.Query(ctx, query, last, pageSize)
		if err != nil {
			return fmt.Errorf("fsck: list archived messages: %w", err)
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[archivedMessage])
		if err != nil {
			return fmt.Errorf("fsck: list archived messages: %w", err)
		}
		for _, m := range page {
			if err := c.archived(ctx, m); err != nil {
				return err
			}
			last = m.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (c *Check) archived(ctx context.Context, m archivedMessage) error {
	const query = `
SELECT e.payload FROM ledger_anchors a JOIN ledger_events e ON e.id = a.event_id
WHERE a.submission_id = $1 ORDER BY a.leaf_index, e.log_index`
	rows, err := c.DB.Query(ctx, query, m.ID)
	if err != nil {
		return fmt.Errorf("fsck: read archived message: %w", err)
	}
	payloads, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return fmt.Errorf("fsck: read archived message: %w", err)
	}
	if where := "message " + m.ID.String(); m.Batch == 0 {
		c.archivedEvent(where, m.Message, payloads)
	} else {
		c.archivedBatch(where, m.Message, payloads)
	}
	return nil
}

func (c *Check) archivedEvent(where string, message []byte, payloads [][]byte) {
	switch {
	case len(payloads) != 1:
		c.find(where, "complete", "it was made for 1 event, but %d are left", len(payloads))
	case !bytes.Equal(payloads[0], message):
		c.find(where, "inclusion", "the event differs from its message")
	}
}

func (c *Check) archivedBatch(where string, message []byte, payloads [][]byte) {
	var said struct {
		Size int    `json:"size"`
		Root string `json:"root"`
	}
	if err := json.Unmarshal(message, &said); err != nil {
		c.find(where, "message", "it is no batch")
		return
	}
	var batch translog.RightEdge
	for _, p := range payloads {
		batch.Add(tlog.RecordHash(p))
	}
	root := batch.Tree().Hash
	switch {
	case len(payloads) != said.Size:
		c.find(where, "complete", "it was made for %d events, but %d are left", said.Size, len(payloads))
	case hex.EncodeToString(root[:]) != said.Root:
		c.find(where, "inclusion", "its events do not have the root in it")
	}
}

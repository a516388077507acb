package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// keptReceipt is a receipt as a person keeps it, and for which write.
type keptReceipt struct {
	what string
	ledger.Receipt
}

// keep keeps the receipt in an answer: an object with the member receipt. Every accepted write has one.
func (b *accepted) keep(what string, answer any) {
	var in struct{ Receipt *ledger.Receipt }
	raw, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil || in.Receipt == nil {
		b.refused("%s: no receipt: %v", what, err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receipts = append(b.receipts, keptReceipt{what, *in.Receipt})
}

// keepOf keeps the receipt in a response.
func (b *accepted) keepOf(what string, a apiclient.Response) { b.keep(what, a.Object().Values) }

// receipts holds every receipt against the published log: its key, its place, and the entry there.
func (a *Reconciliation) receipts(ctx context.Context) error {
	c, err := config.Parse[storage.LogConfig](a.env)
	if err != nil {
		return err
	}
	aws, err := config.LoadAWS(ctx, a.env)
	if err != nil {
		return err
	}
	store, err := storage.NewLog(aws, c, timestamp.System{})
	if err != nil {
		return err
	}
	keys, err := a.keys(ctx)
	if err != nil {
		return err
	}
	leaves, err := a.leaves(ctx, store, keys[ledger.LogKey])
	if err != nil {
		return err
	}
	for _, r := range a.simulation.accepted.receipts {
		if err := broken(r, keys[ledger.ReceiptsKey], leaves); err != nil {
			a.AddDifference("receipt of %s: %v", r.what, err)
		}
	}
	a.line(len(a.simulation.accepted.receipts), fmt.Sprintf("receipts of accepted writes, in a log of %d entries", len(leaves)))
	return nil
}

// keys are those that the log has named, by role.
func (a *Reconciliation) keys(ctx context.Context) (map[ledger.KeyRole][]string, error) {
	found, err := rows[struct {
		Role ledger.KeyRole
		Key  string
	}](ctx, a, `SELECT role, vkey FROM log_keys`)
	out := map[ledger.KeyRole][]string{}
	for _, k := range found {
		out[k.Role] = append(out[k.Role], k.Key)
	}
	return out, err
}

// leaves are the hashes of all published entries. Each is checked against the signed checkpoint.
func (a *Reconciliation) leaves(ctx context.Context, store translog.Store, keys []string) ([]string, error) {
	signed, err := store.Get(ctx, translog.CheckpointKey, 1<<16)
	if err != nil {
		return nil, fmt.Errorf("reconcile: checkpoint: %w", err)
	}
	head, err := translog.OpenCheckpoint(signed, a.env["LOG_ORIGIN"], keys...)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	var out []string
	read := translog.Published(store, head.Tree)
	for from := int64(0); from < head.N; {
		to := min(from+256, head.N)
		entries, err := read(ctx, from, to)
		if err != nil {
			return nil, fmt.Errorf("reconcile: entries from %d: %w", from, err)
		}
		for _, e := range entries {
			out = append(out, ledger.LeafHash(e).String())
		}
		from = to
	}
	return out, nil
}

// broken reports why the log does not keep a receipt; nil when it does.
func broken(r keptReceipt, keys, leaves []string) error {
	var known []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return err
		}
		known = append(known, v)
	}
	opened, err := note.Open([]byte(r.Note), note.VerifierList(known...))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 6 {
		return fmt.Errorf("%d lines", len(lines)-1)
	}
	index, err := strconv.Atoi(lines[2])
	switch {
	case err != nil:
		return err
	case index >= len(leaves):
		return fmt.Errorf("place %d of a log of %d entries", index, len(leaves))
	case leaves[index] != lines[3]:
		return fmt.Errorf("at place %d is another entry", index)
	case ledger.LeafHash([]byte(r.Payload)).String() != lines[3]:
		return fmt.Errorf("its payload is not that of place %d", index)
	}
	return nil
}

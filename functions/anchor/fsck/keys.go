package fsck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// keyRow is a row of log_keys.
type keyRow struct {
	Role  ledger.KeyRole
	VKey  string
	From  int64
	Until int64 // -1 for the key in force
}

func (k keyRow) String() string {
	if k.Until < 0 {
		return fmt.Sprintf("%s key %s from %d on", k.Role, k.VKey, k.From)
	}
	return fmt.Sprintf("%s key %s from %d to %d", k.Role, k.VKey, k.From, k.Until)
}

// keyTable is what log_keys must be after the KEY_CHANGED of the log, in their order.
type keyTable []keyRow

// add takes an entry of the log. Only a KEY_CHANGED about a log or receipts key changes the table.
func (t *keyTable) add(index int64, entry []byte) {
	var said struct {
		Event ledger.Type       `json:"event"`
		Key   *ledger.KeyChange `json:"key"`
	}
	if !bytes.Contains(entry, []byte(ledger.KeyChanged)) || json.Unmarshal(entry, &said) != nil || said.Event != ledger.KeyChanged || said.Key == nil {
		return
	}
	role := ledger.KeyRole(said.Key.Role)
	if role != ledger.LogKey && role != ledger.ReceiptsKey {
		return
	}
	vkey, _ := said.Key.New.(string)
	row := keyRow{Role: role, VKey: vkey, Until: -1}
	if i := t.inForce(role); i >= 0 {
		(*t)[i].Until, row.From = index, index
	}
	*t = append(*t, row)
}

// inForce is the place of the key of a role that no later one follows; -1 if there is none.
func (t keyTable) inForce(role ledger.KeyRole) int {
	return slices.IndexFunc(t, func(k keyRow) bool { return k.Role == role && k.Until < 0 })
}

// keyRows compares log_keys, and the key of log_counter that signs receipts, with the KEY_CHANGED of the log.
func (w *logWalk) keyRows(ctx context.Context) error {
	const unpublished = `
SELECT log_index, payload FROM ledger_events WHERE log_index >= $1 AND report_id IS NULL AND event_type = 'KEY_CHANGED' ORDER BY log_index`
	rows, err := w.DB.Query(ctx, unpublished, w.size)
	if err != nil {
		return fmt.Errorf("fsck: read changes of keys: %w", err)
	}
	var index int64
	var payload []byte
	if _, err := pgx.ForEachRow(rows, []any{&index, &payload}, func() error { w.keys.add(index, payload); return nil }); err != nil {
		return fmt.Errorf("fsck: read changes of keys: %w", err)
	}
	rows, err = w.DB.Query(ctx, `SELECT role, vkey, from_index, coalesce(until_index, -1) FROM log_keys ORDER BY from_index, role`)
	if err != nil {
		return fmt.Errorf("fsck: read keys: %w", err)
	}
	kept, err := pgx.CollectRows(rows, pgx.RowToStructByPos[keyRow])
	if err != nil {
		return fmt.Errorf("fsck: read keys: %w", err)
	}
	for _, k := range kept {
		if !slices.Contains(w.keys, k) {
			w.find("log_keys", "keys", "it has the %s, and no KEY_CHANGED of the log says that", k)
		}
	}
	for _, k := range w.keys {
		if !slices.Contains(kept, k) {
			w.find("log_keys", "keys", "the log names the %s, and the table does not", k)
		}
	}
	return w.receiptsKey(ctx)
}

func (w *logWalk) receiptsKey(ctx context.Context) error {
	var kept, named string
	if err := w.DB.QueryRow(ctx, `SELECT coalesce(receipts_vkey, '') FROM log_counter`).Scan(&kept); err != nil {
		return fmt.Errorf("fsck: read key of receipts: %w", err)
	}
	if i := w.keys.inForce(ledger.ReceiptsKey); i >= 0 {
		named = w.keys[i].VKey
	}
	if kept != named {
		w.find("log_counter", "keys", "receipts are signed by the key %q, the log names %q", kept, named)
	}
	return nil
}

package judge_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
)

var update = flag.Bool("update", false, "write testdata/cases.json")

const casesFile = "testdata/cases.json"

// testCase is one line of the table that the page and the command share.
type testCase struct {
	Name     string            `json:"name"`
	Material map[string]string `json:"material"` // the fields of the page
	// Repeat is how often the field proof is repeated, for texts that are too large for a file.
	Repeat  int      `json:"repeat,omitempty"`
	Verdict string   `json:"verdict"`
	Codes   []string `json:"codes"`
}

type object = map[string]any

// world is an honest log of 20 entries, another that dropped entry 5, and a report with its receipt.
type world struct {
	t               testing.TB
	honest, dropped *testLog
	salt            []byte
	report          object // as the API answers it right after it was filed
	entry           string
	keys            object
	cases           []testCase
}

const (
	number = "LS-2026-000003"
	place  = 5
	size   = 20
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, honest: &testLog{t: t}, dropped: &testLog{t: t}, salt: []byte(strings.Repeat("\x07", 32))}
	w.report = object{
		"report_number": number, "title": "Kuak iha estrada <b>", "description": "Motór monu iha ne'e.\nDepois da chuva.", "issue_type": "pothole",
		"latitude": -8.556856, "longitude": 125.560314, "captured_at": "2026-11-28T14:20:00.12Z", "reporter": object{"id": "018f0000-0000-7000-8000-00000000000a", "full_name": "Ana"},
		"address": nil, "street": nil, "suco": nil, "district": nil, "municipality": "Dili", "severity": "medium", "severity_score": nil, "priority": "medium", "location_accuracy": 6.5, "status": "pending",
	}
	w.entry = w.event("REPORT_SUBMITTED", 1, object{"content_hash": commit(t, w.salt, w.content(nil)), "status": "pending",
		"created_at": "2026-11-28T14:23:14.651Z"}, filedAt)
	for i := range size {
		entry := fmt.Sprintf(`{"event":"CONTENT_AMENDED","n":%d,"v":2}`, i)
		w.dropped.add(entry)
		switch i {
		case place:
			entry = w.entry
		case place + 4:
			entry = w.event("AI_VALIDATED", 2, object{"severity": "high", "priority": "high", "status": "verified",
				"content_hash": commit(t, w.salt, w.content(object{"severity": "high", "severity_score": 8, "priority": "high", "suco": "Comoro"}))}, filedAt.Add(time.Minute))
		}
		w.honest.add(entry)
	}
	w.keys = object{
		"origin": origin, "log_vkey": logKey.vkey(), "receipts_vkey": receiptsKey.vkey(),
		"log_vkeys": []any{object{"vkey": logKey.vkey(), "from": 0}}, "receipts_vkeys": []any{object{"vkey": receiptsKey.vkey(), "from": 0}},
		"witnesses": []any{witness.vkey()}, "merge_delay_seconds": 3600,
		"ledger": object{"network": "testnet", "topic_id": "0.0.7", "account_id": "0.0.2", "public_key": "02ab", "mirror_url": "https://mirror.example"},
	}
	return w
}

// content is what the commitment of the report names, with other values for some members.
func (w *world) content(other object) object {
	out := object{"author": "018f0000-0000-7000-8000-00000000000a", "captured_at": "2026-11-28T14:20:00.120Z", "issue_type_raw": ""}
	for _, name := range []string{"title", "description", "latitude", "longitude", "address", "street", "suco", "district", "municipality", "severity", "severity_score", "priority", "location_accuracy"} {
		out[name] = w.report[name]
	}
	maps.Copy(out, other)
	return out
}

func (w *world) event(kind string, seq int, more object, at time.Time) string {
	out := object{"v": 2, "event": kind, "report_number": number, "seq": seq, "prev": nil, "ts": at.Format("2006-01-02T15:04:05.000Z"),
		"changed_by": object{"kind": "citizen"}, "issue_type": "pothole", "location": object{"lat": -8.557, "lon": 125.56}, "source": "app"}
	maps.Copy(out, more)
	return encode(w.t, out)
}

func (w *world) json(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw)
}

// withKeys returns the keys with other members.
func (w *world) withKeys(other object) string {
	out := maps.Clone(w.keys)
	maps.Copy(out, other)
	return w.json(out)
}

func (w *world) note() string { return receiptNote(receiptsKey, number, place, w.entry, filedAt) }

// receipt is the JSON form, with other members.
func (w *world) receipt(other object) string {
	out := object{"note": w.note(), "payload": w.entry, "salt": base64.StdEncoding.EncodeToString(w.salt)}
	maps.Copy(out, other)
	return w.json(out)
}

func (w *world) honestProof() string {
	return w.honest.proof(place, size, w.entry, w.honest.checkpoint(size, filedAt, logKey))
}

// mirrored is a checkpoint as a mirror node answers it.
func (w *world) mirrored(checkpoint string, at time.Time, other object) string {
	message := w.json(object{"checkpoint": checkpoint, "entries": []any{}})
	out := object{"consensus_timestamp": fmt.Sprintf("%d.000000001", at.Unix()), "message": base64.StdEncoding.EncodeToString([]byte(message)),
		"payer_account_id": "0.0.2", "topic_id": "0.0.7", "sequence_number": 12}
	maps.Copy(out, other)
	return w.json(out)
}

// add adds a case. Keys are those of the world if material has none.
func (w *world) add(name string, material map[string]string, verdict judge.Verdict, codes ...judge.Code) {
	if _, ok := material["keys"]; !ok {
		material["keys"] = w.json(w.keys)
	}
	if material["content"] == "" && !slices.Contains([]judge.Verdict{judge.Unproven, judge.Differs, judge.Dropped}, verdict) && !slices.Contains(codes, judge.ContentSame) {
		codes = append(codes, judge.NotCompared)
	}
	c := testCase{Name: name, Material: material, Verdict: string(verdict)}
	for _, code := range codes {
		c.Codes = append(c.Codes, string(code))
	}
	w.cases = append(w.cases, c)
}

func cases(t testing.TB) []testCase {
	w := newWorld(t)
	w.receipts()
	w.keyCases()
	w.places()
	w.times()
	w.contents()
	return w.cases
}

// TestTheCasesOfTheTable runs the judge on the table that the page is run on too.
func TestTheCasesOfTheTable(t *testing.T) {
	t.Parallel()
	made, err := json.MarshalIndent(cases(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(casesFile, append(made, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != string(made)+"\n" {
		t.Fatal("testdata/cases.json is not what the test makes: go test ./infra/lafaek-log/judge -update")
	}
	for _, c := range cases(t) {
		proof := c.Material["proof"]
		if c.Repeat > 0 {
			proof = strings.Repeat(proof, c.Repeat)
		}
		got := judge.Judge(judge.Material{Receipt: c.Material["receipt"], Proof: proof, Checkpoint: c.Material["checkpoint"],
			Keys: c.Material["keys"], Content: c.Material["content"]})
		var codes []string
		for _, f := range got.Findings {
			codes = append(codes, string(f.Code))
			if f.String() == "" || strings.Contains(f.String(), "{v}") {
				t.Errorf("%s: no sentence for %s", c.Name, f.Code)
			}
		}
		if string(got.Verdict) != c.Verdict || !slices.Equal(codes, c.Codes) {
			t.Errorf("%s: got %s %v, want %s %v", c.Name, got.Verdict, codes, c.Verdict, c.Codes)
		}
	}
}

// TestEveryCodeIsInACase keeps the table complete.
func TestEveryCodeIsInACase(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, c := range cases(t) {
		for _, code := range c.Codes {
			seen[code] = true
		}
	}
	for _, code := range judge.Codes() {
		if !seen[string(code)] {
			t.Errorf("no case has %s", code)
		}
	}
}

package judge_test

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
)

const guideFile = "../../../functions/meta/guide/log.md"

// example is the worked example of the guide: one report in a log of three entries.
func example(w *world) (string, judge.Material) {
	log := &testLog{t: w.t}
	log.add(encode(w.t, object{"v": 2, "event": "KEY_CHANGED", "report_number": nil, "seq": 1, "prev": nil, "ts": "2026-11-28T14:00:00.000Z",
		"changed_by": object{"kind": "system"}, "key": object{"role": "receipts", "old": nil, "new": receiptsKey.vkey()}}))
	log.add(w.entry)
	log.add(encode(w.t, object{"v": 2, "event": "KEY_CHANGED", "report_number": nil, "seq": 2, "prev": nil, "ts": "2026-11-28T15:00:00.000Z",
		"changed_by": object{"kind": "system"}, "key": object{"role": "log", "old": nil, "new": logKey.vkey()}}))
	content := w.content(nil)
	salt := base64.StdEncoding.EncodeToString(w.salt)
	note := receiptNote(receiptsKey, number, 1, w.entry, filedAt)
	proof := log.proof(1, 3, w.entry, log.checkpoint(3, filedAt, logKey))
	leaf := tlog.RecordHash([]byte(w.entry))
	var b strings.Builder
	part := func(title, body string) {
		b.WriteString(title + "\n\n```text\n" + strings.TrimSuffix(body, "\n") + "\n```\n\n")
	}
	part("The keys:", logKey.vkey()+"\n"+receiptsKey.vkey())
	part("The salt of the report, base64:", salt)
	part("The canonical JSON that the words are hashed as:", encode(w.t, content))
	part("HMAC-SHA-256 of these bytes under the salt, hex. This is `content_hash`:", commit(w.t, w.salt, content))
	part("The entry:", w.entry)
	part("SHA-256 of 0x00 and the entry, hex and base64:", hex.EncodeToString(leaf[:])+"\n"+leaf.String())
	part("The receipt:", note)
	words := object{"note": "Ami haree ona.\nSei hadi'a iha semana oin."}
	part("A note, as canonical JSON, and `note_hash` under the same salt (a note has a salt of its own):", encode(w.t, words)+"\n"+commit(w.t, w.salt, words))
	words = object{"author": "018f0000-0000-7000-8000-00000000000a", "content": "Obrigadu — sei la'o <b>"}
	part("A comment, as canonical JSON, and `comment.hash` under the same salt (a comment has a salt of its own):", encode(w.t, words)+"\n"+commit(w.t, w.salt, words))
	part("The proof. Its first hash is that of entry 0, its second that of entry 2:", proof)
	m := judge.Material{Receipt: w.json(object{"note": note, "payload": w.entry, "salt": salt}), Proof: proof, Content: w.json(content), Keys: w.json(w.keys)}
	return b.String(), m
}

// TestTheExampleOfTheGuideIsReal makes the example again, and asks the judge about it.
func TestTheExampleOfTheGuideIsReal(t *testing.T) {
	t.Parallel()
	made, m := example(newWorld(t))
	raw, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- example -->\n", "<!-- /example -->\n"
	head, rest, ok := strings.Cut(string(raw), begin)
	shown, tail, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatal("the guide has no place for the example")
	}
	if *update {
		if err := os.WriteFile(guideFile, []byte(head+begin+made+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		shown = made
	}
	if shown != made {
		t.Error("the example of the guide is another one: go test ./infra/lafaek-log/judge -update")
	}
	if got := judge.Judge(m); got.Verdict != judge.Kept || got.Findings[1].Code != judge.ContentSame {
		t.Errorf("the judge says %s %v", got.Verdict, got.Findings)
	}
}

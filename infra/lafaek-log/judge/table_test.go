package judge_test

import (
	"encoding/base64"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	. "github.com/lafaekstreet/backend/infra/lafaek-log/judge" // the codes read better without a prefix
)

type fields = map[string]string

// receipts are cases of the receipt itself.
func (w *world) receipts() {
	n := w.note()
	w.add("the note alone", fields{"receipt": n}, Accepted, Promised)
	w.add("note, payload and salt", fields{"receipt": w.receipt(nil)}, Accepted, Promised)
	w.add("an answer with its receipt", fields{"receipt": w.json(object{"title": w.report["title"], "description": w.report["description"], "latitude": -8.556856, "location_accuracy": 6.5, "longitude": 125.560314,
		"captured_at": w.report["captured_at"], "reporter": w.report["reporter"], "municipality": "Dili", "severity": "medium", "priority": "medium", "receipt": object{"note": n, "payload": w.entry, "salt": base64.StdEncoding.EncodeToString(w.salt)}})},
		Accepted, Promised, ContentSame)
	w.add("line ends of Windows, a byte order mark, white space around", fields{"receipt": "\ufeff\r\n  " + strings.ReplaceAll(n, "\n", " \r\n") + "\r\n\r\n"}, Accepted, Promised)
	w.add("without the last line end", fields{"receipt": strings.TrimRight(n, "\n")}, Accepted, Promised)
	w.add("without the blank line", fields{"receipt": strings.Replace(n, "\n\n", "\n", 1)}, Accepted, Promised)
	w.add("a signature that a mail program wrapped", fields{"receipt": n[:len(n)-40] + "\n" + n[len(n)-40:]}, Accepted, Promised)
	w.add("a signature of somebody else beside ours", fields{"receipt": n + stranger.line("x", filedAt)}, Accepted, Promised)
	quoted := "> > " + strings.ReplaceAll(strings.TrimSpace(n), "\n", "\n> > ")
	w.add("quoted in a mail", fields{"receipt": quoted, "proof": "> " + strings.ReplaceAll(w.honestProof(), "\n", "\n> "), "checkpoint": ">" + strings.ReplaceAll(w.honest.checkpoint(size, filedAt, logKey), "\n", "\n>")}, Kept, InLog)
	w.add("words of a mail around it", fields{"receipt": "Bele haree ida-ne'e?\n— Ana\n\n" + quoted + "\n\nObrigada,\nAna\n"}, Accepted, Promised)
	w.add("words of a mail right after a wrapped signature", fields{"receipt": n[:len(n)-40] + "\n" + n[len(n)-40:] + "Ana"}, Accepted, Promised)
	w.add("two receipts in one mail", fields{"receipt": n + "\n" + n}, Unproven, ReceiptMalformed)
	w.add("an error answer", fields{"receipt": errorAnswer}, Unproven, ReceiptMalformed)
	w.add("an answer to a change of status", fields{"receipt": w.changed()}, Accepted, Promised)
	w.add("an answer that is no report", fields{"receipt": w.json(object{"id": "x", "receipt": object{"note": n, "payload": w.entry}})}, Accepted, Promised)
	w.add("nothing", fields{"receipt": " \n"}, Unproven, ReceiptMissing)
	w.add("no note", fields{"receipt": "hello"}, Unproven, ReceiptMalformed)
	w.add("JSON that is cut off", fields{"receipt": w.receipt(nil)[:200]}, Unproven, ReceiptMalformed)
	w.add("JSON without a note", fields{"receipt": `{"payload":"x"}`}, Unproven, ReceiptMalformed)
	w.add("a salt that is too short", fields{"receipt": w.receipt(object{"salt": "AAAA"})}, Unproven, ReceiptMalformed)
	w.add("a salt that is no base64", fields{"receipt": w.receipt(object{"salt": "?"})}, Unproven, ReceiptMalformed)
	w.add("a signature in its other form", fields{"receipt": malleable(n)}, Unproven, SignatureWrong)
	w.add("four lines", fields{"receipt": strings.Replace(n, number+"\n", "", 1)}, Unproven, ReceiptMalformed)
	w.add("a place with a leading zero", fields{"receipt": strings.Replace(n, "\n5\n", "\n05\n", 1)}, Unproven, ReceiptMalformed)
	w.add("a negative place", fields{"receipt": strings.Replace(n, "\n5\n", "\n-5\n", 1)}, Unproven, ReceiptMalformed)
	w.add("a place beyond all numbers", fields{"receipt": strings.Replace(n, "\n5\n", "\n9007199254740992\n", 1)}, Unproven, ReceiptMalformed)
	w.add("a time without milliseconds", fields{"receipt": strings.Replace(n, ".651Z", "Z", 1)}, Unproven, ReceiptMalformed)
	w.add("a day that does not exist", fields{"receipt": strings.Replace(n, "11-28T", "02-30T", 1)}, Unproven, ReceiptMalformed)
	w.add("base64 with loose bits", fields{"receipt": strings.TrimSpace(n)[:len(strings.TrimSpace(n))-2] + "B="}, Unproven, ReceiptMalformed)
	w.add("another place under the same signature", fields{"receipt": strings.Replace(n, "\n5\n", "\n6\n", 1)}, Unproven, SignatureWrong)
	w.add("another number under the same signature", fields{"receipt": strings.Replace(n, number, "LS-2026-000004", 1)}, Unproven, SignatureWrong)
	w.add("a receipt signed by the key of the log", fields{"receipt": strings.Split(n, "\n\n")[0] + "\n\n" + logKey.line(strings.Split(n, "\n\n")[0]+"\n", filedAt)}, Unproven, KeyUnknown)
	w.add("a payload with another word", fields{"receipt": w.receipt(object{"payload": strings.Replace(w.entry, "pothole", "bridge", 1)})}, Differs, PayloadDiffers)
	w.add("a payload with a line end", fields{"receipt": w.receipt(object{"payload": w.entry + "\n"})}, Differs, PayloadDiffers)
	w.add("a receipt that names another report than its entry", fields{"receipt": w.receipt(object{"note": receiptNote(receiptsKey, "LS-2026-000009", place, w.entry, filedAt)})}, Differs, PayloadOther)
	w.add("a receipt with a later time than its entry", fields{"receipt": w.receipt(object{"note": receiptNote(receiptsKey, number, place, w.entry, filedAt.Add(time.Hour))})}, Differs, PayloadOther)
}

// errorAnswer is what the API answers for a proof that is not there yet.
const errorAnswer = `{"type":"about:blank","title":"Not Found","status":404,"detail":"The log does not have this yet.","code":"not_published","request_id":"018f"}`

// changed is the answer to a change of status: the report, with the receipt of the change and the salt of its note.
func (w *world) changed() string {
	entry := w.event("STATUS_CHANGED", 3, object{"note_hash": commit(w.t, w.salt, object{"note": "Amanhã"})}, filedAt)
	out := object{"receipt": object{"note": receiptNote(receiptsKey, number, 9, entry, filedAt), "payload": entry, "salt": base64.StdEncoding.EncodeToString(w.salt)}}
	maps.Copy(out, w.report)
	return w.json(out)
}

// keyCases are cases of the keys.
func (w *world) keyCases() {
	n := w.note()
	w.add("no keys", fields{"receipt": n, "keys": ""}, Unproven, KeysMissing)
	w.add("keys that are no JSON", fields{"receipt": n, "keys": "<html>"}, Unproven, KeysUnreadable)
	w.add("keys without a key of receipts", fields{"receipt": n, "keys": w.withKeys(object{"receipts_vkey": "", "receipts_vkeys": nil})}, Unproven, KeysUnreadable)
	w.add("the current keys alone", fields{"receipt": n, "proof": w.honestProof(), "keys": w.withKeys(object{"receipts_vkeys": nil, "log_vkeys": nil, "witnesses": nil, "ledger": nil, "merge_delay_seconds": nil})}, Kept, InLog)
	w.add("keys of another log", fields{"receipt": n, "keys": w.withKeys(object{"origin": "other.example/log"})}, Unproven, OtherLog)
	w.add("a key whose id is not its own", fields{"receipt": n, "keys": w.withKeys(object{"receipts_vkeys": []any{object{"vkey": strings.Replace(receiptsKey.vkey(), "+", "+0", 1), "from": 0}}, "receipts_vkey": nextReceipt.vkey()})}, Unproven, KeyUnknown)
	w.add("a key among those of receipts that has another name", fields{"receipt": strings.Split(n, "\n\n")[0] + "\n\n" + logKey.line(strings.Split(n, "\n\n")[0]+"\n", filedAt),
		"keys": w.withKeys(object{"receipts_vkeys": []any{object{"vkey": logKey.vkey(), "from": 0}, object{"vkey": receiptsKey.vkey(), "from": 0}}})}, Unproven, KeyUnknown)
	w.add("no witness is known", fields{"receipt": n, "checkpoint": w.honest.checkpoint(place, filedAt.Add(2*time.Hour), logKey, witness),
		"keys": w.withKeys(object{"witnesses": []any{nextLogKey.vkey()}})}, Accepted, Promised, TooEarly)
	two := func(until int) string {
		return w.withKeys(object{"receipts_vkey": nextReceipt.vkey(), "receipts_vkeys": []any{object{"vkey": nextReceipt.vkey(), "from": until}, object{"vkey": receiptsKey.vkey(), "from": 0, "until": until}}})
	}
	w.add("a key of receipts that holds until the next place", fields{"receipt": n, "keys": two(place + 1)}, Accepted, Promised)
	w.add("a key of receipts that ended at this place", fields{"receipt": n, "keys": two(place)}, Unproven, KeyNotValid)
	w.add("an old place signed by the new key", fields{"receipt": receiptNote(nextReceipt, number, place, w.entry, filedAt), "keys": two(place + 1)}, Accepted, Promised)
	logs := func(until int) string {
		return w.withKeys(object{"log_vkey": nextLogKey.vkey(), "log_vkeys": []any{object{"vkey": nextLogKey.vkey(), "from": until}, object{"vkey": logKey.vkey(), "from": 0, "until": until}}})
	}
	w.add("a checkpoint by the key that was in force", fields{"receipt": n, "proof": w.honestProof(), "keys": logs(size)}, Kept, InLog)
	w.add("a checkpoint by a key that had ended", fields{"receipt": n, "proof": w.honestProof(), "keys": logs(size - 1)}, Unproven, CheckpointKey)
	early := w.honest.proof(place, size, w.entry, w.honest.checkpoint(size, filedAt, nextLogKey))
	w.add("a checkpoint by a key that had not begun", fields{"receipt": n, "proof": early, "keys": logs(size + 1)}, Unproven, CheckpointKey)
	w.add("two keys, of which one signed", fields{"receipt": n, "proof": early, "keys": logs(size - 1)}, Kept, InLog)
}

// places are cases of the place in the log.
func (w *world) places() {
	n, signed := w.note(), w.honest.checkpoint(size, filedAt, logKey)
	honest := w.honestProof()
	second := w.honest.proof(place+4, size, w.honest.entries[place+4], signed)
	w.add("in the log", fields{"receipt": n, "proof": honest}, Kept, InLog)
	w.add("in the log, all that is known given", fields{"receipt": w.receipt(nil), "proof": honest, "checkpoint": signed, "content": w.json(w.report)}, Kept, InLog, ContentSame)
	w.add("a proof without its entry", fields{"receipt": n, "proof": w.honest.proof(place, size, "", signed)}, Kept, InLog)
	w.add("the proofs of all entries of the report", fields{"receipt": n, "proof": honest + "--\n" + second}, Kept, InLog)
	w.add("proofs as a mail program leaves them", fields{"receipt": n, "proof": strings.ReplaceAll(strings.ReplaceAll(honest+"\n-- \n"+second, "\n\n", "\n"), "\n", "\r\n")}, Kept, InLog)
	long := strings.Index(honest, "\n") + 300
	w.add("an entry broken over two lines", fields{"receipt": n, "proof": honest[:long] + "\n" + honest[long:]}, Kept, InLog)
	w.add("another entry at the place", fields{"receipt": n, "proof": w.dropped.proof(place, size, w.dropped.entries[place], w.dropped.checkpoint(size, filedAt, logKey))}, Dropped, Replaced)
	w.add("an honest proof with another entry in it", fields{"receipt": n, "proof": w.honest.proof(place, size, w.dropped.entries[place], signed)}, Unproven, ProofWrong)
	w.add("a log that dropped the entry, with the entry in the proof", fields{"receipt": n, "proof": w.dropped.proof(place, size, w.entry, w.dropped.checkpoint(size, filedAt, logKey))}, Unproven, ProofWrong)
	w.add("a log that dropped the entry, and no entry in the proof", fields{"receipt": n, "proof": w.dropped.proof(place, size, "", w.dropped.checkpoint(size, filedAt, logKey))}, Unproven, ProofWrong)
	w.add("a proof of another place", fields{"receipt": n, "proof": second}, Unproven, ProofElsewhere)
	w.add("a proof that lacks a hash", fields{"receipt": n, "proof": strings.Replace(honest, "\n"+strings.Split(honest, "\n")[3]+"\n", "\n", 1)}, Unproven, ProofWrong)
	w.add("a proof that is none", fields{"receipt": n, "proof": "<html>"}, Unproven, ProofUnreadable)
	w.add("an error answer for a proof", fields{"receipt": n, "proof": errorAnswer}, Unproven, ProofUnreadable)
	w.add("an error answer for a checkpoint", fields{"receipt": n, "checkpoint": errorAnswer}, Unproven, CheckpointMalformed)
	w.add("an error answer for the keys", fields{"receipt": n, "keys": errorAnswer}, Unproven, KeysUnreadable)
	w.add("a proof without its place", fields{"receipt": n, "proof": strings.Replace(honest, "\nindex 5\n", "\n", 1)}, Unproven, ProofUnreadable)
	w.add("a proof without its checkpoint", fields{"receipt": n, "proof": strings.Split(honest, "\n\n")[0]}, Unproven, CheckpointMalformed)
	w.add("a checkpoint with another size", fields{"receipt": n, "proof": strings.Replace(honest, "\n20\n", "\n21\n", 1)}, Unproven, CheckpointWrong)
	w.add("a checkpoint with another root", fields{"receipt": n, "checkpoint": strings.Replace(signed, strings.Split(signed, "\n")[2], tlog.Hash{1}.String(), 1)}, Unproven, CheckpointWrong)
	w.add("a checkpoint of a stranger", fields{"receipt": n, "checkpoint": w.honest.checkpoint(size, filedAt, nextLogKey)}, Unproven, CheckpointKey)
	w.add("a checkpoint of another log", fields{"receipt": n, "checkpoint": strings.ReplaceAll(signed, origin, "other.example/log")}, Unproven, CheckpointOther)
	w.add("a checkpoint that is none", fields{"receipt": n, "checkpoint": "404"}, Unproven, CheckpointMalformed)
	w.add("a checkpoint past the place, without a proof", fields{"receipt": n, "checkpoint": signed}, Accepted, Promised, ProofNeeded)
	w.add("two trees of one size", fields{"receipt": n, "proof": honest, "checkpoint": w.dropped.checkpoint(size, filedAt, logKey)}, Unproven, Fork)
	w.add("two checkpoints, one after the other", fields{"receipt": n, "proof": honest, "checkpoint": w.honest.checkpoint(3, filedAt, logKey) + "\n" + signed}, Kept, InLog)
	w.add("a proof of more than four million bytes", fields{"receipt": n, "proof": honest}, Unproven, TooLarge)
	w.cases[len(w.cases)-1].Repeat = 6000
	w.add("a thousand and one proofs", fields{"receipt": n, "proof": "c2sp.org/tlog-proof@v1\nindex 5\n" + w.honest.checkpoint(6, filedAt, logKey)}, Unproven, ProofUnreadable)
	w.cases[len(w.cases)-1].Repeat = 1001
}

// times are cases of a log that ends before the place.
func (w *world) times() {
	n, due := w.note(), filedAt.Add(time.Hour)
	old := func(seen time.Time, signers ...signer) string {
		return w.honest.checkpoint(place, seen, append([]signer{logKey}, signers...)...)
	}
	w.add("an old checkpoint alone", fields{"receipt": n, "checkpoint": old(due)}, Accepted, Promised, TooEarly)
	w.add("a witness who saw it end in time", fields{"receipt": n, "checkpoint": old(due.Add(-time.Second), witness)}, Accepted, Promised, TooEarly)
	w.add("a witness who saw it end too late", fields{"receipt": n, "checkpoint": old(due.Add(time.Second), witness)}, Dropped, Withheld)
	w.add("a stranger who saw it end too late", fields{"receipt": n, "checkpoint": old(due.Add(time.Second), stranger)}, Accepted, Promised, TooEarly)
	forged := strings.Replace(old(due.Add(-time.Second), witness), witness.line("", due)[:len("— witness.example/w1 ")+10], witness.line("", due.Add(48*time.Hour))[:len("— witness.example/w1 ")+10], 1)
	w.add("a witness's line that was changed", fields{"receipt": n, "checkpoint": forgedLine(forged)}, Unproven, WitnessWrong)
	w.add("a proof of another entry under it", fields{"receipt": n, "proof": w.honest.proof(2, place, "", old(due.Add(time.Minute), witness))}, Unproven, ProofElsewhere)
	w.add("late, but there", fields{"receipt": n, "proof": w.honestProof(), "checkpoint": old(due.Add(time.Minute), witness)}, Kept, InLog, Late)
	w.add("the ledger after the promise", fields{"receipt": n, "checkpoint": w.mirrored(old(due), due.Add(time.Minute), nil)}, Dropped, WithheldLedger, LedgerTime)
	w.add("the ledger in time", fields{"receipt": n, "checkpoint": w.mirrored(old(due), due.Add(-time.Minute), nil)}, Accepted, Promised, TooEarly)
	page := func(messages ...string) string {
		return `{"messages":[` + strings.Join(messages, ",") + `],"links":{"next":null}}`
	}
	late := w.mirrored(old(due), due.Add(time.Hour), nil)
	newer := w.honest.checkpoint(size, filedAt, logKey)
	w.add("the ledger after the promise, and a newer checkpoint", fields{"receipt": n, "checkpoint": page(late, w.mirrored(newer, due.Add(2*time.Hour), nil))}, Accepted, Promised, ProofNeeded)
	w.add("the ledger after the promise, and a proof", fields{"receipt": n, "proof": w.honestProof(), "checkpoint": late}, Kept, InLog, LateLedger)
	w.add("a witness and the ledger after the promise", fields{"receipt": n, "checkpoint": w.mirrored(old(due.Add(time.Second), witness), due.Add(time.Hour), nil)}, Dropped, Withheld)
	w.add("a page of messages", fields{"receipt": n, "checkpoint": page(w.mirrored(old(due), due, nil), late)}, Dropped, WithheldLedger, LedgerTime)
	foreign := []string{
		w.mirrored(old(due), due, object{"payer_account_id": "0.0.3"}), w.mirrored(old(due), due, object{"topic_id": "0.0.8"}), w.mirrored("x", due, nil),
		w.mirrored(old(due), due, object{"message": "?"}), w.mirrored(old(due), due, object{"message": 1}), w.mirrored(old(due), due, object{"message": "e30="}),
		w.mirrored(old(due), due, object{"consensus_timestamp": nil}), w.mirrored(w.honest.checkpoint(3, due, nextLogKey), due, nil), "null", "1",
	}
	w.add("a page with messages of others", fields{"receipt": n, "checkpoint": page(append(foreign, late)...)}, Dropped, WithheldLedger, LedgerLeft, LedgerTime)
	w.add("a page without a message of this log", fields{"receipt": n, "proof": w.honestProof(), "checkpoint": page(foreign...)}, Kept, InLog, LedgerLeft)
	w.add("a page without messages", fields{"receipt": n, "checkpoint": page()}, Accepted, Promised)
	w.add("messages that are no list", fields{"receipt": n, "checkpoint": `{"messages":{"a":1}}`}, Unproven, CheckpointMalformed)
	w.add("a message from another topic", fields{"receipt": n, "checkpoint": w.mirrored(old(due), due.Add(time.Hour), object{"topic_id": "0.0.8"})}, Accepted, Promised, LedgerLeft)
	w.add("a message from another account", fields{"receipt": n, "checkpoint": w.mirrored(old(due), due.Add(time.Hour), object{"payer_account_id": "0.0.3"})}, Accepted, Promised, LedgerLeft)
	w.add("a message without the words of the mirror node", fields{"receipt": n, "checkpoint": w.json(object{"checkpoint": old(due), "entries": []any{}})}, Accepted, Promised, TooEarly)
	w.add("a message with an edited checkpoint", fields{"receipt": n, "checkpoint": w.mirrored(strings.Replace(old(due), "\n5\n", "\n4\n", 1), due.Add(time.Hour), nil)}, Accepted, Promised, LedgerLeft)
	w.add("a longer delay was promised", fields{"receipt": n, "checkpoint": old(due.Add(time.Second), witness), "keys": w.withKeys(object{"merge_delay_seconds": 7200})}, Accepted, Promised, TooEarly)
}

// forgedLine changes the last byte of the last signature.
func forgedLine(signed string) string {
	at := strings.LastIndex(signed, " ") + 1
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(signed[at:]))
	raw[len(raw)-1] ^= 1
	return signed[:at] + base64.StdEncoding.EncodeToString(raw) + "\n"
}

// malleable adds the order of the group to the signature's second half. RFC 8032 refuses such a signature: with it, one
// receipt would have many forms.
func malleable(signed string) string {
	at := strings.LastIndex(signed, " ") + 1
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(signed[at:]))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	half := raw[len(raw)-32:]
	slices.Reverse(half)
	sum := new(big.Int).Add(new(big.Int).SetBytes(half), order)
	sum.FillBytes(half)
	slices.Reverse(half)
	return signed[:at] + base64.StdEncoding.EncodeToString(raw) + "\n"
}

// contents are cases of the words.
func (w *world) contents() {
	full, honest := w.receipt(nil), w.honestProof()
	with := func(other object) string {
		out := object{}
		for k, v := range w.report {
			out[k] = v
		}
		for k, v := range other {
			out[k] = v
		}
		return w.json(out)
	}
	later := object{"severity": "high", "severity_score": 8, "priority": "high", "suco": "Comoro", "status": "verified"}
	second := w.honest.proof(place+4, size, w.honest.entries[place+4], w.honest.checkpoint(size, filedAt, logKey))
	w.add("the words as filed", fields{"receipt": full, "content": with(nil)}, Accepted, Promised, ContentSame)
	w.add("the members of the commitment", fields{"receipt": full, "content": w.json(w.content(nil))}, Accepted, Promised, ContentSame)
	w.add("the note, with the entry from the proof", fields{"receipt": w.receipt(object{"payload": nil}), "proof": honest, "content": with(nil)}, Kept, InLog, ContentSame)
	w.add("severity and place names of later", fields{"receipt": full, "content": with(later)}, Accepted, Promised, ContentSame, ContentPart)
	w.add("the same, with the later entry", fields{"receipt": full, "proof": honest + "--\n" + second, "content": with(later)}, Kept, InLog, ContentSame)
	w.add("another title", fields{"receipt": full, "proof": honest, "content": with(object{"title": "Nothing to see"})}, Differs, ContentDiffers)
	w.add("a place one metre away", fields{"receipt": full, "content": with(object{"latitude": -8.556866})}, Differs, ContentDiffers)
	w.add("a place that is said to be more exact", fields{"receipt": full, "content": with(object{"location_accuracy": 1.5})}, Differs, ContentDiffers)
	w.add("another author", fields{"receipt": full, "content": with(object{"reporter": object{"id": "018f0000-0000-7000-8000-00000000000b"}})}, Differs, ContentDiffers)
	w.add("no author", fields{"receipt": full, "content": with(object{"reporter": nil})}, Unproven, ContentWithheld)
	public := object{"content_pending": true, "title": "Kuak", "description": "", "latitude": -8.557, "longitude": 125.56, "reporter": nil, "severity": nil, "priority": nil,
		"report_number": number, "created_at": "2026-11-28T14:23:14.651Z", "source": "app"}
	public2 := func(other object) string {
		all := maps.Clone(public)
		maps.Copy(all, other)
		return with(all)
	}
	w.add("the public answer while it is pending", fields{"receipt": full, "proof": honest, "content": public2(nil)}, Unproven, ContentWithheld)
	w.add("the public answer, once it is hidden", fields{"receipt": full, "content": with(object{"content_hidden": true, "title": "Kuak", "description": ""})}, Unproven, ContentWithheld)
	w.add("the public answer, once it was removed", fields{"receipt": full, "content": with(object{"removed": true, "title": nil})}, Unproven, ContentWithheld)
	w.add("a public answer with another place", fields{"receipt": full, "content": public2(object{"longitude": 125.562})}, Differs, ContentDiffers)
	w.add("a public answer with another time", fields{"receipt": full, "content": public2(object{"created_at": "2026-11-29T14:23:14.651Z"})}, Differs, ContentDiffers)
	w.add("a public answer with another source", fields{"receipt": full, "content": public2(object{"source": "import"})}, Differs, ContentDiffers)
	w.add("an item of a list", fields{"receipt": full, "content": w.without("captured_at")}, Unproven, ContentWithheld)
	w.add("an export of an earlier version", fields{"receipt": full, "content": w.without("severity_score", "priority", "reporter")}, Unproven, ContentWithheld)
	w.add("the answer of another report", fields{"receipt": full, "content": with(object{"report_number": "LS-2026-000009", "title": "x"})}, Unproven, ContentOther)
	w.add("another time of capture", fields{"receipt": full, "content": with(object{"captured_at": "2026-11-28T14:20:01Z"})}, Differs, ContentDiffers)
	w.add("another salt", fields{"receipt": w.receipt(object{"salt": base64.StdEncoding.EncodeToString(make([]byte, 32))}), "content": with(nil)}, Differs, ContentDiffers)
	w.add("dropped, whatever the words are", fields{"receipt": full, "proof": w.dropped.proof(place, size, w.dropped.entries[place], w.dropped.checkpoint(size, filedAt, logKey)), "content": with(object{"title": "x"})}, Dropped, Replaced)
	w.add("words without a salt", fields{"receipt": w.note(), "proof": honest, "content": with(nil)}, Unproven, ContentNoSalt)
	w.add("words without the entry", fields{"receipt": w.receipt(object{"payload": nil}), "content": with(nil)}, Unproven, ContentNoSalt)
	w.add("words that are no JSON", fields{"receipt": full, "content": "Kuak iha estrada"}, Unproven, ContentUnreadable)
	w.add("JSON that is no report", fields{"receipt": full, "content": `{"a":1}`}, Unproven, ContentUnreadable)
	w.add("an error answer for a report", fields{"receipt": full, "proof": honest, "content": errorAnswer}, Unproven, ContentUnreadable)
	w.add("a title without a report", fields{"receipt": full, "content": `{"title":"x","description":"y"}`}, Unproven, ContentUnreadable)
	w.add("a note that is not shown", fields{"receipt": full, "content": `{"note":null}`}, Unproven, ContentUnreadable)
	w.add("a page instead of a report", fields{"receipt": full, "content": "<!doctype html><p>— 502 —</p>"}, Unproven, ContentUnreadable)
	w.others()
}

// without is the report without some members.
func (w *world) without(names ...string) string {
	out := maps.Clone(w.report)
	for _, name := range names {
		delete(out, name)
	}
	return w.json(out)
}

// others are cases of comments, notes, assignments, erased reports and entries of an earlier version.
func (w *world) others() {
	one := func(name string, members object, content any, verdict Verdict, codes ...Code) {
		entry := w.event("COMMENT_ADDED", 4, members, filedAt)
		receipt := w.json(object{"note": receiptNote(receiptsKey, number, 9, entry, filedAt), "payload": entry, "salt": base64.StdEncoding.EncodeToString(w.salt)})
		w.add(name, fields{"receipt": receipt, "content": w.json(content)}, verdict, codes...)
	}
	comment := object{"comment": object{"id": "018f0000-0000-7000-8000-0000000000cc", "hash": commit(w.t, w.salt, object{"author": "a1", "content": "Sei la'o"})}}
	one("a comment", comment, object{"id": "c", "content": "Sei la'o", "author": object{"id": "a1"}}, Accepted, Promised, ContentSame)
	one("a comment with other words", comment, object{"content": "Lae", "author": "a1"}, Differs, ContentDiffers)
	one("a comment without its author", comment, object{"content": "Sei la'o"}, Unproven, ContentWithheld)
	one("a comment that is said to be a report", comment, w.report, Unproven, ContentNoSalt)
	note := object{"note_hash": commit(w.t, w.salt, object{"note": "Amanhã"})}
	one("a note", note, object{"note": "Amanhã", "new_status": "verified"}, Accepted, Promised, ContentSame)
	one("another note", note, object{"note": "Ontem"}, Differs, ContentDiffers)
	one("an assignment", object{"assignment_hash": commit(w.t, w.salt, object{"assigned_to": "a1"})}, object{"assigned_to": "a1"}, Accepted, Promised, ContentSame)
	one("a report whose words were erased", object{}, w.report, Unproven, ContentNoHash)
	old := object{"v": 1, "content_hash": commit(w.t, w.salt, object{"title": "t", "description": "d", "issue_type_raw": "", "latitude": -8.5, "longitude": 125.5, "captured_at": "2026-11-20T08:30:00.120000Z"})}
	one("an entry of the earlier version", old, object{"title": "t", "description": "d", "latitude": -8.5, "longitude": 125.5, "severity": "high", "captured_at": "2026-11-20T08:30:00.12Z"}, Accepted, Promised, ContentSame)
	one("other words in an entry of the earlier version", old, object{"title": "T", "description": "d", "latitude": -8.5, "longitude": 125.5, "captured_at": nil}, Differs, ContentDiffers)
}

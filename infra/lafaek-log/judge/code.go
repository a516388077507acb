package judge

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Code names a finding. The page has a sentence for each in three languages.
type Code string

// The codes, in the order of the judgement.
const (
	TooLarge         Code = "too_large"
	KeysMissing      Code = "keys_missing"
	KeysUnreadable   Code = "keys_unreadable"
	ReceiptMissing   Code = "receipt_missing"
	ReceiptMalformed Code = "receipt_unreadable"
	OtherLog         Code = "other_log"
	KeyUnknown       Code = "key_unknown"
	KeyNotValid      Code = "key_not_valid"
	SignatureWrong   Code = "signature_wrong"

	PayloadDiffers Code = "payload_differs"
	PayloadOther   Code = "payload_other"

	ProofUnreadable     Code = "proof_unreadable"
	CheckpointMalformed Code = "checkpoint_unreadable"
	CheckpointOther     Code = "checkpoint_other"
	CheckpointWrong     Code = "checkpoint_wrong"
	CheckpointKey       Code = "checkpoint_key"
	WitnessWrong        Code = "witness_wrong"
	LedgerLeft          Code = "ledger_left"
	Fork                Code = "fork"
	ProofElsewhere      Code = "proof_elsewhere"
	ProofWrong          Code = "proof_wrong"

	Replaced       Code = "replaced"
	Withheld       Code = "withheld"
	WithheldLedger Code = "withheld_ledger"
	LedgerTime     Code = "ledger_time"
	InLog          Code = "in_log"
	Late           Code = "late"
	LateLedger     Code = "late_ledger"
	Promised       Code = "promised"
	ProofNeeded    Code = "proof_needed"
	TooEarly       Code = "too_early"

	ContentUnreadable Code = "content_unreadable"
	ContentNoSalt     Code = "content_no_salt"
	ContentNoHash     Code = "content_no_hash"
	ContentOther      Code = "content_other"
	ContentWithheld   Code = "content_withheld"
	ContentDiffers    Code = "content_differs"
	ContentSame       Code = "content_same"
	ContentPart       Code = "content_part"
	NotCompared       Code = "not_compared"
)

// sentences has the English text of each code; {v} is the value.
var sentences = map[Code]string{
	TooLarge:         "A text is larger than 4 MiB.",
	KeysMissing:      "The keys of the log are missing. They are what /log/keys answers.",
	KeysUnreadable:   "The keys of the log cannot be read.",
	ReceiptMissing:   "There is no receipt.",
	ReceiptMalformed: "The receipt cannot be read.",
	OtherLog:         "The receipt is from another log: {v}.",
	KeyUnknown:       "The receipt is not signed by a key of this log.",
	KeyNotValid:      "The key of the receipt is not valid at place {v}.",
	SignatureWrong:   "The signature of the receipt is wrong.",

	PayloadDiffers: "The payload is not the entry that the receipt promises.",
	PayloadOther:   "The payload names another report or another time than the receipt.",

	ProofUnreadable:     "The proof cannot be read. It begins with c2sp.org/tlog-proof@v1; an answer that says why there is no proof is none.",
	CheckpointMalformed: "The checkpoint cannot be read.",
	CheckpointOther:     "The checkpoint is from another log: {v}.",
	CheckpointWrong:     "The signature of the checkpoint is wrong.",
	CheckpointKey:       "The checkpoint of size {v} is not signed by a key of this log that is valid there.",
	WitnessWrong:        "A signature by the witness {v} is wrong.",
	LedgerLeft: "Messages of the ledger that were left out: {v}. They have no good checkpoint of this log, or are not from the topic and the account in the keys. " +
		"Messages that an earlier account paid for cannot be judged from the keys.",
	Fork:           "This is evidence against the log: it has signed two different trees of size {v}, so it shows two histories. Keep all texts and publish them.",
	ProofElsewhere: "No proof is about place {v}, which the receipt names.",
	ProofWrong:     "The proof does not lead from the entry to the checkpoint.",

	Replaced: "The log has another entry at place {v}, which was promised to this one.",
	Withheld: "At {v} the log still ended before the promised place. The time of the promise was over.",
	WithheldLedger: "By the ledger's time, {v}, the log still ended before the promised place, after the time of the promise. " +
		"A message that was sent late shows the same: ask for a newer checkpoint or a proof of the place.",
	LedgerTime:  "This is the time that the pasted ledger message states. Compare it with the ledger: message {v}.",
	InLog:       "The entry is in the log, at the promised place {v}.",
	Late:        "It came later than promised: at {v} it was not in the log yet.",
	LateLedger:  "A message of the ledger, dated {v}, has a checkpoint from before this entry. The entry came late, or the message was sent late.",
	Promised:    "The receipt is genuine. The log promised to have the entry by {v}.",
	ProofNeeded: "The log has grown past this place. A proof of place {v} says whether the promise was kept.",
	TooEarly:    "The checkpoint ends before this place, and no witness or ledger shows a time after the promise. So it proves nothing.",

	ContentUnreadable: "The content cannot be read: it is no report, comment, note or assignment as the API answers it.",
	ContentNoSalt:     "The content cannot be compared: the salt or the payload is missing.",
	ContentNoHash:     "The content cannot be compared: the entry has no hash of it.",
	ContentOther:      "The content is of another report: {v}.",
	ContentWithheld:   "The content cannot be compared, because the answer does not show all of it: {v}. Use the answer that its author gets, or the author's export.",
	ContentDiffers:    "The content is not what the entry vouches for. If it was changed since then by an event, add the proof of that event.",
	ContentSame:       "The content is what entry {v} vouches for.",
	ContentPart:       "Not compared, because it was set after this entry: {v}.",
	NotCompared:       "The words were not compared: no content was given.",
}

// Codes returns all codes, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(sentences)) }

// String is the English sentence.
func (f Finding) String() string { return strings.ReplaceAll(sentences[f.Code], "{v}", f.Value) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// stamp is a time as the texts show it: RFC 3339 in UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

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
	LedgerOther         Code = "ledger_other"
	Fork                Code = "fork"
	ProofElsewhere      Code = "proof_elsewhere"
	ProofWrong          Code = "proof_wrong"

	Replaced    Code = "replaced"
	Withheld    Code = "withheld"
	LedgerTime  Code = "ledger_time"
	InLog       Code = "in_log"
	Late        Code = "late"
	Promised    Code = "promised"
	ProofNeeded Code = "proof_needed"
	TooEarly    Code = "too_early"

	ContentUnreadable Code = "content_unreadable"
	ContentNoSalt     Code = "content_no_salt"
	ContentNoHash     Code = "content_no_hash"
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

	ProofUnreadable:     "The proof cannot be read.",
	CheckpointMalformed: "The checkpoint cannot be read.",
	CheckpointOther:     "The checkpoint is from another log: {v}.",
	CheckpointWrong:     "The signature of the checkpoint is wrong.",
	CheckpointKey:       "The checkpoint of size {v} is not signed by a key of this log that is valid there.",
	WitnessWrong:        "A signature by the witness {v} is wrong.",
	LedgerOther:         "The ledger message is not from the topic and the account of this log.",
	Fork:                "The log has signed two different trees of size {v}. This proves that it shows two histories.",
	ProofElsewhere:      "No proof is about place {v}, which the receipt names.",
	ProofWrong:          "The proof does not lead from the entry to the checkpoint.",

	Replaced:    "The log has another entry at place {v}, which was promised to this one.",
	Withheld:    "At {v} the log still ended before the promised place. The time of the promise was over.",
	LedgerTime:  "This is the time that the pasted ledger message states. Compare it with the ledger: message {v}.",
	InLog:       "The entry is in the log, at the promised place {v}.",
	Late:        "It came later than promised: at {v} it was not in the log yet.",
	Promised:    "The receipt is genuine. The log promised to have the entry by {v}.",
	ProofNeeded: "The log has grown past this place. A proof of place {v} says whether the promise was kept.",
	TooEarly:    "The checkpoint ends before this place, and no witness or ledger shows a time after the promise. So it proves nothing.",

	ContentUnreadable: "The content cannot be read.",
	ContentNoSalt:     "The content cannot be compared: the salt or the payload is missing.",
	ContentNoHash:     "The content cannot be compared: the entry has no hash of it.",
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

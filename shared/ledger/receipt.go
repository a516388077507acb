package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/note"
)

// Receipt is a signed promise: the event is in the public log, at a place that is fixed now. Whoever has it can show later
// that the log does not keep the promise.
type Receipt struct {
	Note    string  `json:"note" doc:"Signed note (c2sp.org/signed-note) of five lines: origin of the log, report number, log index, leaf hash (RFC 6962, base64), time"`
	Payload string  `json:"payload" doc:"The entry's data: the canonical JSON of the event, to the byte"`
	Salt    *string `json:"salt,omitempty" doc:"Base64, 32 bytes. The key of the commitments in the payload; for whoever wrote the words alone"`
}

// ReceiptsConfig is what signing receipts needs.
type ReceiptsConfig struct {
	// Origin is the name of the log. It never changes.
	Origin string `env:"LOG_ORIGIN,required,notEmpty"`
	// Key is an Ed25519 seed, 32 bytes of base64. It signs in the process: a call of KMS would make each report slower.
	Key string `env:"RECEIPTS_KEY,required,notEmpty"`
}

// Receipts signs receipts.
type Receipts struct {
	origin string
	vkey   string
	signer note.Signer
}

// NewReceipts returns a signer for receipts of the log of c.
func NewReceipts(c ReceiptsConfig) (*Receipts, error) {
	seed, err := base64.StdEncoding.DecodeString(c.Key)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("RECEIPTS_KEY is not 32 bytes of base64")
	}
	name := c.Origin + "/receipts"
	key := ed25519.NewKeyFromSeed(seed)
	vkey, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("receipts key: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("receipts key: %w", err)
	}
	secret := append([]byte{1}, seed...) // algorithm 1: Ed25519
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(), base64.StdEncoding.EncodeToString(secret)))
	if err != nil {
		return nil, fmt.Errorf("receipts key: %w", err)
	}
	return &Receipts{origin: c.Origin, vkey: vkey, signer: signer}, nil
}

// VKey is the public key of the receipts (c2sp.org/signed-note).
func (r *Receipts) VKey() string { return r.vkey }

// sign returns the receipt for an entry. number is the report's number, at is the event's time as in the payload. The same entry gets
// the same bytes.
func (r *Receipts) sign(number string, index int64, payload, at string, salt []byte) (*Receipt, error) {
	leaf := LeafHash([]byte(payload))
	text := r.origin + "\n" + number + "\n" + strconv.FormatInt(index, 10) + "\n" + leaf.String() + "\n" + at + "\n"
	signed, err := note.Sign(&note.Note{Text: text}, r.signer)
	if err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	out := &Receipt{Note: string(signed), Payload: payload}
	if salt != nil {
		s := base64.StdEncoding.EncodeToString(salt)
		out.Salt = &s
	}
	return out, nil
}

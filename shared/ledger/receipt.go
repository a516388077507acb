package ledger

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Receipt is a signed promise: the event is in the public log, at a place that is fixed now. Whoever has it can show later
// that the log does not keep the promise.
type Receipt struct {
	Note    string  `json:"note" doc:"Signed note (c2sp.org/signed-note) of five lines: origin of the log, report number, log index, leaf hash (RFC 6962, base64), time. The same bytes each time; only after a change of the receipts key the signature differs"`
	Payload string  `json:"payload" doc:"The entry's data: the canonical JSON of the event, to the byte"`
	Salt    *string `json:"salt,omitempty" doc:"Base64, 32 bytes: the key of the commitments in the payload. That of a note, a comment or an assignment for whoever wrote it, else that of the report for its reporter. Left out for everybody else, and once the words are erased"`
}

// ReceiptsConfig is what signing receipts needs.
type ReceiptsConfig struct {
	// Origin is the name of the log. It never changes.
	Origin string `env:"LOG_ORIGIN,required,notEmpty"`
	// Key is an Ed25519 seed, 32 bytes of base64. It signs in the process: a call of KMS would make each report slower.
	Key string `env:"RECEIPTS_KEY,required,notEmpty"`
}

// Receipts signs receipts. It is safe for concurrent use.
type Receipts struct {
	origin string
	watch  KeyWatch

	mu   sync.Mutex
	key  receiptsKey
	read time.Time // when the key was last read again
}

// KeyWatch is how a process follows a change of the receipts key. The zero value follows none.
type KeyWatch struct {
	Clock timestamp.Clock
	// Read returns the key as it is kept now, in the form of ReceiptsConfig.Key; nil where it cannot change.
	Read func(ctx context.Context) (string, error)
	// Missing is called for each receipt that could not be signed; nil where nobody counts them.
	Missing func(ctx context.Context, reason error)
}

// readAgainAfter is the least time between two readings of the key.
const readAgainAfter = time.Minute

// readTimeout bounds one reading of the key.
const readTimeout = 2 * time.Second

// NewReceipts returns a signer for receipts of the log of c.
func NewReceipts(c ReceiptsConfig) (*Receipts, error) {
	key, err := newReceiptsKey(c.Origin, c.Key)
	if err != nil {
		return nil, err
	}
	return &Receipts{origin: c.Origin, key: key}, nil
}

// Follow has r follow changes of its key. Call it before the first receipt. It returns r.
func (r *Receipts) Follow(w KeyWatch) *Receipts {
	r.watch = w
	return r
}

// VKey is the public key of the receipts (c2sp.org/signed-note).
func (r *Receipts) VKey() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.key.vkey
}

// Of returns the receipt for an entry that a committed transaction wrote; number is the report's number. The receipt is for
// whoever made the change; reporter says that this is the report's reporter. It is nil where it cannot be signed.
func (r *Receipts) Of(ctx context.Context, e *NewEntry, number string, reporter bool) *Receipt {
	if r == nil || e == nil {
		return nil
	}
	at := e.place.Get()
	return r.For(ctx, Logged{Index: at.Index, Payload: []byte(e.payload(number)), Salt: e.saltFor(reporter), Key: at.ReceiptsKey})
}

// For returns the receipt for an entry that was read. It is nil where it cannot be signed: where the process does not get
// the key that is in force.
func (r *Receipts) For(ctx context.Context, e Logged) *Receipt {
	if r == nil {
		return nil
	}
	key, err := r.keyInForce(ctx, e.Key)
	if err == nil {
		var out *Receipt
		if out, err = r.sign(key, e); err == nil {
			return out
		}
	}
	if r.watch.Missing != nil {
		r.watch.Missing(ctx, err)
	}
	return nil
}

// keyInForce returns the key with this public key. If r has another one, it reads the key again, at most once a minute.
func (r *Receipts) keyInForce(ctx context.Context, vkey *string) (receiptsKey, error) {
	if vkey == nil {
		return receiptsKey{}, errors.New("no receipts key is in force yet")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.key.vkey == *vkey {
		return r.key, nil
	}
	if r.watch.Read == nil || r.watch.Clock.Now().Sub(r.read) < readAgainAfter {
		return receiptsKey{}, fmt.Errorf("the receipts key in force is %s, and this process has %s", *vkey, r.key.vkey)
	}
	r.read = r.watch.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	secret, err := r.watch.Read(ctx)
	if err != nil {
		return receiptsKey{}, fmt.Errorf("read the receipts key again: %w", err)
	}
	key, err := newReceiptsKey(r.origin, secret)
	if err != nil {
		return receiptsKey{}, err
	}
	if r.key = key; key.vkey != *vkey {
		return receiptsKey{}, fmt.Errorf("the receipts key in force is %s, and the secret has %s", *vkey, key.vkey)
	}
	return key, nil
}

// sign returns the receipt for an entry. The same entry gets the same bytes: the time is that of the event.
func (r *Receipts) sign(key receiptsKey, e Logged) (*Receipt, error) {
	var said struct {
		Number string `json:"report_number"`
		At     string `json:"ts"`
	}
	if err := json.Unmarshal(e.Payload, &said); err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	leaf := LeafHash(e.Payload)
	text := r.origin + "\n" + said.Number + "\n" + strconv.FormatInt(e.Index, 10) + "\n" + leaf.String() + "\n" + said.At + "\n"
	signed, err := note.Sign(&note.Note{Text: text}, key.signer)
	if err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	out := &Receipt{Note: string(signed), Payload: string(e.Payload)}
	if e.Salt != nil {
		s := base64.StdEncoding.EncodeToString(e.Salt)
		out.Salt = &s
	}
	return out, nil
}

// receiptsKey is a key that signs receipts.
type receiptsKey struct {
	vkey   string
	signer note.Signer
}

// newReceiptsKey returns the key whose seed is secret, 32 bytes of base64.
func newReceiptsKey(origin, secret string) (receiptsKey, error) {
	seed, err := base64.StdEncoding.DecodeString(secret)
	if err != nil || len(seed) != ed25519.SeedSize {
		return receiptsKey{}, errors.New("RECEIPTS_KEY is not 32 bytes of base64")
	}
	name := origin + "/receipts"
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return receiptsKey{}, fmt.Errorf("receipts key: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return receiptsKey{}, fmt.Errorf("receipts key: %w", err)
	}
	private := append([]byte{1}, seed...) // algorithm 1: Ed25519
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(), base64.StdEncoding.EncodeToString(private)))
	if err != nil {
		return receiptsKey{}, fmt.Errorf("receipts key: %w", err)
	}
	return receiptsKey{vkey: vkey, signer: signer}, nil
}

package anchor

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"golang.org/x/mod/sumdb/note"
)

// LogKey is the key of the log: it signs checkpoints, and never leaves KMS (ECC_NIST_EDWARDS25519).
type LogKey struct {
	kms     KMS
	keyID   string
	origin  string
	timeout time.Duration

	mu     sync.Mutex
	public ed25519.PublicKey // read once
	vkey   string
}

// NewLogKey returns the KMS key keyID as the key of the log with this origin; timeout bounds each call.
func NewLogKey(k KMS, keyID, origin string, timeout time.Duration) *LogKey {
	return &LogKey{kms: k, keyID: keyID, origin: origin, timeout: timeout}
}

// Load reads the public key from KMS, once.
func (k *LogKey) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.public != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	out, err := k.kms.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(k.keyID)})
	if err != nil {
		return fmt.Errorf("get public key of the log: %w", err)
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	public, ok := parsed.(ed25519.PublicKey)
	if err != nil || !ok {
		return errors.New("get public key of the log: the key is not Ed25519")
	}
	vkey, err := note.NewEd25519VerifierKey(k.origin, public)
	if err != nil {
		return fmt.Errorf("name the log's key: %w", err)
	}
	k.public, k.vkey = public, vkey
	return nil
}

// VKey implements translog.Signer. It is empty before Load.
func (k *LogKey) VKey() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.vkey
}

// Sign implements translog.Signer. KMS is given the message itself, at most 4,096 bytes.
func (k *LogKey) Sign(ctx context.Context, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	out, err := k.kms.Sign(ctx, &kms.SignInput{KeyId: aws.String(k.keyID), Message: message, MessageType: types.MessageTypeRaw,
		SigningAlgorithm: types.SigningAlgorithmSpecEd25519Sha512})
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return out.Signature, nil
}

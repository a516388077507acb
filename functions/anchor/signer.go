package anchor

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

// KMS is what a Signer needs of AWS KMS.
type KMS interface {
	Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error)
	GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, opts ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
}

// Signer signs transaction bodies with a key that never leaves KMS.
type Signer struct {
	kms     KMS
	keyID   string
	timeout time.Duration

	mu  sync.Mutex
	key *secp256k1.PublicKey // read once
}

// NewSigner signs with the KMS key keyID; timeout bounds each call.
func NewSigner(k KMS, keyID string, timeout time.Duration) *Signer {
	return &Signer{kms: k, keyID: keyID, timeout: timeout}
}

// errKeyUnusable reports a fault of the key or of our rights to it, which only an operator can fix.
var errKeyUnusable = errors.New("the KMS key is unusable")

// PublicKey is the key's compressed point, 33 bytes.
func (s *Signer) PublicKey(ctx context.Context) ([]byte, error) {
	key, err := s.publicKey(ctx)
	if err != nil {
		return nil, err
	}
	return key.SerializeCompressed(), nil
}

func (s *Signer) publicKey(ctx context.Context) (*secp256k1.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out, err := s.kms.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(s.keyID)})
	if err != nil {
		return nil, fmt.Errorf("get public key: %w", classifyKMS(err))
	}
	if out.KeySpec != "" && out.KeySpec != types.KeySpecEccSecgP256k1 {
		return nil, fmt.Errorf("%w: its spec is %s, not ECC_SECG_P256K1", errKeyUnusable, out.KeySpec)
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Point     asn1.BitString
	}
	if _, err := asn1.Unmarshal(out.PublicKey, &spki); err != nil {
		return nil, errors.New("get public key: malformed answer")
	}
	key, err := secp256k1.ParsePubKey(spki.Point.Bytes)
	if err != nil {
		return nil, errors.New("get public key: malformed answer")
	}
	s.key = key
	return key, nil
}

// Sign is the network's signature over body: r‖s, 64 bytes, over Keccak-256, S
// in the low half. KMS is given the digest; given the body it would hash it
// with SHA-256. The signature is checked before it is returned.
func (s *Signer) Sign(ctx context.Context, body []byte) ([]byte, error) {
	key, err := s.publicKey(ctx)
	if err != nil {
		return nil, err
	}
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(body)
	digest := h.Sum(nil)
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out, err := s.kms.Sign(ctx, &kms.SignInput{
		KeyId: aws.String(s.keyID), Message: digest, MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return nil, fmt.Errorf("sign: %w", classifyKMS(err))
	}
	r, v, err := parseDER(out.Signature)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if v.IsOverHalfOrder() {
		v.Negate() // as valid, and the only form the network takes
	}
	if !ecdsa.NewSignature(r, v).Verify(digest, key) {
		return nil, errors.New("sign: KMS returned a signature of something else")
	}
	rb, vb := r.Bytes(), v.Bytes()
	return append(rb[:], vb[:]...), nil
}

// parseDER reads ASN.1 SEQUENCE{r, s}.
func parseDER(der []byte) (*secp256k1.ModNScalar, *secp256k1.ModNScalar, error) {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) != 0 {
		return nil, nil, errors.New("signature is not a DER pair")
	}
	read := func(n *big.Int) (*secp256k1.ModNScalar, bool) {
		var out secp256k1.ModNScalar
		if n.Sign() <= 0 || n.BitLen() > 256 {
			return nil, false
		}
		return &out, !out.SetByteSlice(n.Bytes())
	}
	r, okR := read(pair.R)
	s, okS := read(pair.S)
	if !okR || !okS {
		return nil, nil, errors.New("signature is out of range")
	}
	return r, s, nil
}

// classifyKMS wraps errKeyUnusable around errors that only an operator can fix.
func classifyKMS(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "NotFoundException", "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException",
		"AccessDeniedException", "UnsupportedOperationException", "InvalidArnException",
		"UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignature":
		return fmt.Errorf("%w: %s", errKeyUnusable, api.ErrorCode())
	}
	return err
}

package kms

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

const (
	secp256k1Spec = "ECC_SECG_P256K1"
	ed25519Spec   = "ECC_NIST_EDWARDS25519"
)

// spec is what keys of one KeySpec do. Secrets are 32 bytes.
type spec interface {
	name() string
	algorithm() string
	generate() (string, error)            // a secret, in hex
	public(secret []byte) ([]byte, error) // DER SubjectPublicKeyInfo
	sign(secret []byte, in signInput) ([]byte, error)
}

// secp256k1Key signs a digest. The message itself is one when MessageType is DIGEST, else its SHA-256 is.
type secp256k1Key struct{}

func (secp256k1Key) name() string      { return secp256k1Spec }
func (secp256k1Key) algorithm() string { return "ECDSA_SHA_256" }

func (secp256k1Key) generate() (string, error) {
	private, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return "", err
	}
	return private.Key.String(), nil
}

type spki struct {
	Algorithm pkix.AlgorithmIdentifier
	PublicKey asn1.BitString
}

// public is a SubjectPublicKeyInfo (RFC 5480) of 88 bytes. The standard library cannot make it for this curve.
func (secp256k1Key) public(secret []byte) ([]byte, error) {
	curve, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 132, 0, 10})
	if err != nil {
		return nil, err
	}
	public := secp256k1.PrivKeyFromBytes(secret).PubKey().SerializeUncompressed()
	return asn1.Marshal(spki{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, Parameters: asn1.RawValue{FullBytes: curve}},
		PublicKey: asn1.BitString{Bytes: public, BitLength: len(public) * 8},
	})
}

// sign returns a DER signature. Like the service it does not normalise s, so about half of the signatures have a high
// s; and it is not deterministic.
func (k secp256k1Key) sign(secret []byte, in signInput) ([]byte, error) {
	digest := in.Message
	if in.MessageType == "DIGEST" {
		if len(in.Message) != sha256.Size {
			return nil, awsjson.Errorf("ValidationException", "Digest is invalid length for algorithm %s.", k.algorithm())
		}
	} else {
		sum := sha256.Sum256(in.Message)
		digest = sum[:]
	}
	return ecdsa.SignASN1(rand.Reader, secp256k1.PrivKeyFromBytes(secret).ToECDSA(), digest)
}

// ed25519Key signs the message itself (ED25519_SHA_512): KMS takes MessageType RAW alone for it.
type ed25519Key struct{}

func (ed25519Key) name() string      { return ed25519Spec }
func (ed25519Key) algorithm() string { return "ED25519_SHA_512" }

func (ed25519Key) generate() (string, error) {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails
	return hex.EncodeToString(seed), nil
}

func (ed25519Key) public(secret []byte) ([]byte, error) {
	return x509.MarshalPKIXPublicKey(ed25519.NewKeyFromSeed(secret).Public())
}

func (k ed25519Key) sign(secret []byte, in signInput) ([]byte, error) {
	if in.MessageType == "DIGEST" {
		return nil, awsjson.Errorf("ValidationException", "MessageType DIGEST is not supported for algorithm %s.", k.algorithm())
	}
	return ed25519.Sign(ed25519.NewKeyFromSeed(secret), in.Message), nil
}

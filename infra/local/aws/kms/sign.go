package kms

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// maxMessage is the longest message KMS signs, in bytes.
const maxMessage = 4096

type spki struct {
	Algorithm pkix.AlgorithmIdentifier
	PublicKey asn1.BitString
}

// marshalPublic encodes the public key as a DER SubjectPublicKeyInfo (RFC 5480) of 88 bytes. The standard library
// cannot do that for this curve.
func marshalPublic(k *key) ([]byte, error) {
	curve, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 132, 0, 10})
	if err != nil {
		return nil, err
	}
	public := secp256k1.PrivKeyFromBytes(k.secret()).PubKey().SerializeUncompressed()
	return asn1.Marshal(spki{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, Parameters: asn1.RawValue{FullBytes: curve}},
		PublicKey: asn1.BitString{Bytes: public, BitLength: len(public) * 8},
	})
}

type publicKeyOutput struct {
	KeyId             string
	PublicKey         []byte
	KeySpec           string
	KeyUsage          string
	SigningAlgorithms []string
}

func (s *Service) publicKey(_ context.Context, in keyInput) (publicKeyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId)
	if err != nil {
		return publicKeyOutput{}, err
	}
	der, err := marshalPublic(k)
	if err != nil {
		return publicKeyOutput{}, err
	}
	return publicKeyOutput{s.arn(k.ID), der, keySpec, keyUsage, []string{algorithm}}, nil
}

type signInput struct {
	KeyId, MessageType, SigningAlgorithm string
	Message                              []byte
}

// digest is the value to sign: the message itself when MessageType is DIGEST, else its SHA-256.
func (in signInput) digest() ([]byte, error) {
	if in.SigningAlgorithm != algorithm {
		return nil, awsjson.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", in.SigningAlgorithm, keySpec)
	}
	if len(in.Message) == 0 || len(in.Message) > maxMessage {
		return nil, awsjson.Errorf("ValidationException", "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 4096")
	}
	switch in.MessageType {
	case "DIGEST":
		if len(in.Message) != sha256.Size {
			return nil, awsjson.Errorf("ValidationException", "Digest is invalid length for algorithm %s.", algorithm)
		}
		return in.Message, nil
	case "", "RAW":
		sum := sha256.Sum256(in.Message)
		return sum[:], nil
	}
	return nil, awsjson.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'messageType' failed to satisfy constraint: Member must satisfy enum value set: [RAW, DIGEST]", in.MessageType)
}

type signOutput struct {
	KeyId            string
	Signature        []byte
	SigningAlgorithm string
}

// sign returns a DER signature. Like the service it does not normalise s, so about half of the signatures have a high
// s; and it is not deterministic.
func (s *Service) sign(_ context.Context, in signInput) (signOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId)
	if err != nil {
		return signOutput{}, err
	}
	digest, err := in.digest()
	if err != nil {
		return signOutput{}, err
	}
	signature, err := ecdsa.SignASN1(rand.Reader, k.signer(), digest)
	if err != nil {
		return signOutput{}, err
	}
	return signOutput{s.arn(k.ID), signature, algorithm}, nil
}

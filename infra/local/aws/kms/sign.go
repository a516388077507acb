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

const algorithm = "ECDSA_SHA_256"

// maxMessage is the longest message KMS signs, in bytes.
const maxMessage = 4096

type spki struct {
	Algorithm pkix.AlgorithmIdentifier
	PublicKey asn1.BitString
}

// marshalPublic gives the 88 bytes of a DER SubjectPublicKeyInfo (RFC 5480),
// which the standard library cannot write for this curve.
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
	KeyId                 string
	PublicKey             []byte
	CustomerMasterKeySpec string
	KeySpec               string
	KeyUsage              string
	SigningAlgorithms     []string
}

func (s *Service) publicKey(_ context.Context, in keyInput) (publicKeyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.find(in.KeyId)
	if err != nil {
		return publicKeyOutput{}, err
	}
	if k.Spec != specSecp256k1 {
		return publicKeyOutput{}, awsjson.Errorf("UnsupportedOperationException", "%s is not an asymmetric key.", s.arn(k.ID))
	}
	if !k.Enabled {
		return publicKeyOutput{}, awsjson.Errorf("DisabledException", "%s is disabled.", s.arn(k.ID))
	}
	der, err := marshalPublic(k)
	if err != nil {
		return publicKeyOutput{}, err
	}
	return publicKeyOutput{s.arn(k.ID), der, k.Spec, k.Spec, k.Usage, []string{algorithm}}, nil
}

type signInput struct {
	KeyId, MessageType, SigningAlgorithm string
	Message, Signature                   []byte
	DryRun                               bool
}

// digest is what gets signed: the message itself when it is said to be a digest,
// its SHA-256 otherwise.
func (in signInput) digest() ([]byte, error) {
	if in.SigningAlgorithm != algorithm {
		return nil, awsjson.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", in.SigningAlgorithm, specSecp256k1)
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

// sign gives a DER signature. Like the real service it does not normalise s, so
// about half of the signatures have the high one, and no two are alike.
func (s *Service) sign(_ context.Context, in signInput) (signOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId, usageSign)
	if err != nil {
		return signOutput{}, err
	}
	digest, err := in.digest()
	if err != nil {
		return signOutput{}, err
	}
	if in.DryRun {
		return signOutput{}, awsjson.Errorf("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	signature, err := ecdsa.SignASN1(rand.Reader, k.signer(), digest)
	if err != nil {
		return signOutput{}, err
	}
	return signOutput{s.arn(k.ID), signature, algorithm}, nil
}

type verifyOutput struct {
	KeyId            string
	SignatureValid   bool
	SigningAlgorithm string
}

func (s *Service) verify(_ context.Context, in signInput) (verifyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId, usageSign)
	if err != nil {
		return verifyOutput{}, err
	}
	digest, err := in.digest()
	if err != nil {
		return verifyOutput{}, err
	}
	if !ecdsa.VerifyASN1(&k.signer().PublicKey, digest, in.Signature) {
		return verifyOutput{}, awsjson.Errorf("KMSInvalidSignatureException", "The signature is not valid.")
	}
	return verifyOutput{s.arn(k.ID), true, algorithm}, nil
}

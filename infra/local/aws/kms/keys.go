package kms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

type metadata struct {
	AWSAccountId          string
	Arn                   string
	CreationDate          float64
	CustomerMasterKeySpec string
	Description           string
	Enabled               bool
	EncryptionAlgorithms  []string `json:",omitempty"`
	KeyId                 string
	KeyManager            string
	KeySpec               string
	KeyState              string
	KeyUsage              string
	MultiRegion           bool
	Origin                string
	SigningAlgorithms     []string `json:",omitempty"`
}

type metadataOutput struct{ KeyMetadata metadata }

func (s *Service) metadata(k *key) metadataOutput {
	m := metadata{
		AWSAccountId: s.opts.AccountID, Arn: s.arn(k.ID), CreationDate: float64(k.Created.UnixMilli()) / 1000,
		CustomerMasterKeySpec: k.Spec, Description: k.Description, Enabled: k.Enabled, KeyId: k.ID, KeyManager: "CUSTOMER",
		KeySpec: k.Spec, KeyState: "Enabled", KeyUsage: k.Usage, Origin: "AWS_KMS",
	}
	switch {
	case !k.Deleted.IsZero():
		m.KeyState = "PendingDeletion"
	case !k.Enabled:
		m.KeyState = "Disabled"
	}
	if k.Usage == usageSign {
		m.SigningAlgorithms = []string{algorithm}
	} else {
		m.EncryptionAlgorithms = []string{specSymmetric}
	}
	return metadataOutput{m}
}

type createKeyInput struct {
	KeySpec, CustomerMasterKeySpec, KeyUsage, Description string
}

func (s *Service) createKey(_ context.Context, in createKeyInput) (metadataOutput, error) {
	if in.KeySpec == "" {
		in.KeySpec = in.CustomerMasterKeySpec
	}
	if in.KeySpec == "" {
		in.KeySpec = specSymmetric
	}
	if in.KeyUsage == "" {
		in.KeyUsage = usageEncrypt
	}
	if in.KeySpec == specSecp256k1 && in.KeyUsage != usageSign || in.KeySpec == specSymmetric && in.KeyUsage != usageEncrypt {
		return metadataOutput{}, awsjson.Errorf("ValidationException", "The operation failed because the KeyUsage value of the KMS key is not compatible with KeySpec %s.", in.KeySpec)
	}
	k := &key{ID: uuid.NewString(), Spec: in.KeySpec, Usage: in.KeyUsage, Description: in.Description, Created: s.opts.Now().UTC(), Enabled: true}
	switch in.KeySpec {
	case specSecp256k1:
		private, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			return metadataOutput{}, err
		}
		k.Secret = private.Key.String()
	case specSymmetric:
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		k.Secret = hex.EncodeToString(secret)
	default:
		return metadataOutput{}, awsjson.Errorf("UnsupportedOperationException", "The local stand-in makes %s and %s keys only.", specSecp256k1, specSymmetric)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Keys[k.ID] = k
	return s.metadata(k), s.save()
}

type keyInput struct{ KeyId string }

func (s *Service) describeKey(_ context.Context, in keyInput) (metadataOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.find(in.KeyId)
	if err != nil {
		return metadataOutput{}, err
	}
	return s.metadata(k), nil
}

type listedKey struct{ KeyId, KeyArn string }

type listKeysOutput struct {
	Keys      []listedKey
	Truncated bool
}

func (s *Service) listKeys(context.Context, struct{}) (listKeysOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := listKeysOutput{Keys: []listedKey{}}
	for _, id := range slices.Sorted(maps.Keys(s.state.Keys)) {
		out.Keys = append(out.Keys, listedKey{id, s.arn(id)})
	}
	return out, nil
}

type empty struct{}

func (s *Service) enable(on bool) func(context.Context, keyInput) (empty, error) {
	return func(_ context.Context, in keyInput) (empty, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		k, err := s.find(in.KeyId)
		if err != nil {
			return empty{}, err
		}
		k.Enabled = on
		return empty{}, s.save()
	}
}

type deletionInput struct {
	KeyId               string
	PendingWindowInDays *int
}

type deletionOutput struct {
	KeyId, KeyState     string
	DeletionDate        float64
	PendingWindowInDays int
}

func (s *Service) scheduleDeletion(_ context.Context, in deletionInput) (deletionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.find(in.KeyId)
	if err != nil {
		return deletionOutput{}, err
	}
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return deletionOutput{}, awsjson.Errorf("ValidationException", "PendingWindowInDays must be between 7 and 30.")
	}
	k.Enabled, k.Deleted = false, s.opts.Now().UTC().AddDate(0, 0, days)
	return deletionOutput{s.arn(k.ID), "PendingDeletion", float64(k.Deleted.Unix()), days}, s.save()
}

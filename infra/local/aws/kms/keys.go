package kms

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

type metadata struct {
	AWSAccountId      string
	Arn               string
	CreationDate      float64 // seconds since 1970
	Enabled           bool
	KeyId             string
	KeyManager        string
	KeySpec           string
	KeyState          string
	KeyUsage          string
	Origin            string
	SigningAlgorithms []string
}

type metadataOutput struct{ KeyMetadata metadata }

func (s *Service) metadata(k *key) metadataOutput {
	m := metadata{
		AWSAccountId: s.opts.AccountID, Arn: s.arn(k.ID), CreationDate: float64(k.Created.UnixMilli()) / 1000,
		Enabled: k.Enabled, KeyId: k.ID, KeyManager: "CUSTOMER", KeySpec: k.kind().name(), KeyState: "Enabled", KeyUsage: keyUsage,
		Origin: "AWS_KMS", SigningAlgorithms: []string{k.kind().algorithm()},
	}
	if !k.Enabled {
		m.KeyState = "Disabled"
	}
	return metadataOutput{m}
}

func (s *Service) createKey(_ context.Context, in struct{ KeySpec, KeyUsage string }) (metadataOutput, error) {
	if in.KeySpec != secp256k1Spec && in.KeySpec != ed25519Spec || in.KeyUsage != keyUsage {
		return metadataOutput{}, awsjson.Errorf("UnsupportedOperationException", "The local stand-in makes keys of spec %s or %s and usage %s only.",
			secp256k1Spec, ed25519Spec, keyUsage)
	}
	k := &key{ID: uuid.NewString(), Created: s.opts.Now().UTC(), Enabled: true, Spec: in.KeySpec}
	var err error
	if k.Secret, err = k.kind().generate(); err != nil {
		return metadataOutput{}, err
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

type aliasInput struct{ AliasName, TargetKeyId string }

func (s *Service) createAlias(_ context.Context, in aliasInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(in.AliasName, "alias/") || strings.HasPrefix(in.AliasName, "alias/aws/") {
		return empty{}, awsjson.Errorf("ValidationException", "Alias must start with the prefix \"alias/\".")
	}
	if _, ok := s.state.Aliases[in.AliasName]; ok {
		return empty{}, awsjson.Errorf("AlreadyExistsException", "An alias with the name %s already exists", s.aliasARN(in.AliasName))
	}
	k, err := s.find(in.TargetKeyId)
	if err != nil {
		return empty{}, err
	}
	s.state.Aliases[in.AliasName] = k.ID
	return empty{}, s.save()
}

package kms

import (
	"context"
	"slices"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// maxMessage is the longest message KMS signs, in bytes.
const maxMessage = 4096

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
	der, err := k.kind().public(k.secret())
	if err != nil {
		return publicKeyOutput{}, err
	}
	return publicKeyOutput{s.arn(k.ID), der, k.kind().name(), keyUsage, []string{k.kind().algorithm()}}, nil
}

type signInput struct {
	KeyId, MessageType, SigningAlgorithm string
	Message                              []byte
}

// check refuses what KMS refuses of every key.
func (in signInput) check(kind spec) error {
	if in.SigningAlgorithm != kind.algorithm() {
		return awsjson.Errorf("InvalidKeyUsageException", "Algorithm %s is incompatible with key spec %s.", in.SigningAlgorithm, kind.name())
	}
	if len(in.Message) == 0 || len(in.Message) > maxMessage {
		return awsjson.Errorf("ValidationException", "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 4096")
	}
	if !slices.Contains([]string{"", "RAW", "DIGEST"}, in.MessageType) {
		return awsjson.Errorf("ValidationException", "1 validation error detected: Value '%s' at 'messageType' failed to satisfy constraint: Member must satisfy enum value set: [RAW, DIGEST]", in.MessageType)
	}
	return nil
}

type signOutput struct {
	KeyId            string
	Signature        []byte
	SigningAlgorithm string
}

func (s *Service) sign(_ context.Context, in signInput) (signOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId)
	if err != nil {
		return signOutput{}, err
	}
	if err := in.check(k.kind()); err != nil {
		return signOutput{}, err
	}
	signature, err := k.kind().sign(k.secret(), in)
	if err != nil {
		return signOutput{}, err
	}
	return signOutput{s.arn(k.ID), signature, k.kind().algorithm()}, nil
}

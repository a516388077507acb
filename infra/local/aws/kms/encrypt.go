package kms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

type encryptInput struct {
	KeyId             string
	Plaintext         []byte
	CiphertextBlob    []byte
	EncryptionContext map[string]string
	KeySpec           string
	NumberOfBytes     int
}

type encryptOutput struct {
	KeyId               string
	CiphertextBlob      []byte `json:",omitempty"`
	Plaintext           []byte `json:",omitempty"`
	EncryptionAlgorithm string `json:",omitempty"`
}

func invalidCiphertext() error { return awsjson.Errorf("InvalidCiphertextException", "") }

func (k *key) gcm() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.secret())
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// additional binds a ciphertext to its encryption context; encoding/json sorts keys.
func additional(context map[string]string) []byte {
	if len(context) == 0 {
		return nil
	}
	raw, _ := json.Marshal(context)
	return raw
}

// idLength is the length of a key id, which starts every ciphertext.
const idLength = 36

func (k *key) seal(plain []byte, context map[string]string) ([]byte, error) {
	aead, err := k.gcm()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce)
	return aead.Seal(append([]byte(k.ID), nonce...), nonce, plain, additional(context)), nil
}

func (s *Service) encrypt(_ context.Context, in encryptInput) (encryptOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId, usageEncrypt)
	if err != nil {
		return encryptOutput{}, err
	}
	if len(in.Plaintext) == 0 || len(in.Plaintext) > maxMessage {
		return encryptOutput{}, awsjson.Errorf("ValidationException", "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and 4096")
	}
	blob, err := k.seal(in.Plaintext, in.EncryptionContext)
	if err != nil {
		return encryptOutput{}, err
	}
	return encryptOutput{KeyId: s.arn(k.ID), CiphertextBlob: blob, EncryptionAlgorithm: specSymmetric}, nil
}

func (s *Service) decrypt(_ context.Context, in encryptInput) (encryptOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(in.CiphertextBlob) < idLength {
		return encryptOutput{}, invalidCiphertext()
	}
	k, err := s.usable(string(in.CiphertextBlob[:idLength]), usageEncrypt)
	if err != nil {
		if strings.Contains(err.Error(), "NotFoundException") {
			return encryptOutput{}, invalidCiphertext()
		}
		return encryptOutput{}, err
	}
	if in.KeyId != "" {
		named, err := s.find(in.KeyId)
		if err != nil {
			return encryptOutput{}, err
		}
		if named != k {
			return encryptOutput{}, awsjson.Errorf("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
		}
	}
	aead, err := k.gcm()
	if err != nil {
		return encryptOutput{}, err
	}
	sealed := in.CiphertextBlob[idLength:]
	if len(sealed) < aead.NonceSize() {
		return encryptOutput{}, invalidCiphertext()
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], additional(in.EncryptionContext))
	if err != nil {
		return encryptOutput{}, invalidCiphertext()
	}
	return encryptOutput{KeyId: s.arn(k.ID), Plaintext: plain, EncryptionAlgorithm: specSymmetric}, nil
}

func (s *Service) generateDataKey(_ context.Context, in encryptInput) (encryptOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.usable(in.KeyId, usageEncrypt)
	if err != nil {
		return encryptOutput{}, err
	}
	n := in.NumberOfBytes
	switch in.KeySpec {
	case "AES_256":
		n = 32
	case "AES_128":
		n = 16
	}
	if n < 1 || n > 1024 {
		return encryptOutput{}, awsjson.Errorf("ValidationException", "Please specify either number of bytes or key spec.")
	}
	plain := make([]byte, n)
	_, _ = rand.Read(plain)
	blob, err := k.seal(plain, in.EncryptionContext)
	if err != nil {
		return encryptOutput{}, err
	}
	return encryptOutput{KeyId: s.arn(k.ID), CiphertextBlob: blob, Plaintext: plain}, nil
}

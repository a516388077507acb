// Package seal encrypts small secrets that are stored in the database or sent through
// a queue: codes, addresses, second factors. AES-256-GCM; the purpose is
// authenticated with the text, so that a text sealed for one purpose cannot be opened for another.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// Config holds the keys.
type Config struct {
	// Keys are 32-byte keys in base64. The first key seals; any of them opens, for rotation.
	Keys []string `env:"SEAL_KEYS,required,notEmpty"`
}

// ErrOpen reports a text that none of the keys sealed for this purpose.
var ErrOpen = errors.New("sealed text cannot be opened")

// Sealer seals and opens. Safe for concurrent use.
type Sealer struct {
	aeads   []cipher.AEAD
	macKeys [][]byte
}

// New reads the keys.
func New(c Config) (*Sealer, error) {
	s := &Sealer{}
	for i, text := range c.Keys {
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("SEAL_KEYS: key %d is not 32 bytes of base64", i+1)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("SEAL_KEYS: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("SEAL_KEYS: %w", err)
		}
		s.aeads = append(s.aeads, aead)
		s.macKeys = append(s.macKeys, macKey(key))
	}
	return s, nil
}

// Seal encrypts plain for a purpose such as "totp".
func (s *Sealer) Seal(purpose string, plain []byte) []byte {
	a := s.aeads[0]
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand, Go 1.24)
	return a.Seal(nonce, nonce, plain, label(purpose))
}

// Open decrypts what was sealed for the same purpose, else ErrOpen.
func (s *Sealer) Open(purpose string, sealed []byte) ([]byte, error) {
	for _, a := range s.aeads {
		if len(sealed) < a.NonceSize() {
			return nil, ErrOpen
		}
		n := a.NonceSize()
		if plain, err := a.Open(nil, sealed[:n], sealed[n:], label(purpose)); err == nil {
			return plain, nil
		}
	}
	return nil, ErrOpen
}

func label(purpose string) []byte {
	sum := sha256.Sum256([]byte("lafaekstreet seal " + purpose))
	return sum[:]
}

// MAC is a keyed hash of data for a purpose, 32 bytes. It serves to look up and compare
// what need not be read again, such as codes and addresses.
func (s *Sealer) MAC(purpose string, data []byte) []byte { return sum(s.macKeys[0], purpose, data) }

// MACs are the hashes under every key, the present key first. A hash made before a
// rotation is found under an older key.
func (s *Sealer) MACs(purpose string, data []byte) [][]byte {
	out := make([][]byte, len(s.macKeys))
	for i, key := range s.macKeys {
		out[i] = sum(key, purpose, data)
	}
	return out
}

// CheckMAC reports whether mac is the hash of data under one of the keys.
func (s *Sealer) CheckMAC(purpose string, mac, data []byte) bool {
	found := false
	for _, candidate := range s.MACs(purpose, data) {
		found = hmac.Equal(candidate, mac) || found
	}
	return found
}

// CheckShortMAC is CheckMAC of the first bytes of a hash, at least 16.
func (s *Sealer) CheckShortMAC(purpose string, mac, data []byte) bool {
	found := false
	for _, candidate := range s.MACs(purpose, data) {
		found = len(mac) >= 16 && len(mac) <= len(candidate) && hmac.Equal(candidate[:len(mac)], mac) || found
	}
	return found
}

func sum(key []byte, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(label(purpose))
	h.Write(data)
	return h.Sum(nil)
}

// macKey separates hashing from sealing: one secret to operate, two keys in use.
func macKey(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("lafaekstreet mac"))
	return h.Sum(nil)
}

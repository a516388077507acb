package system

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// createSecrets makes keys at the first start and reads them at every later one, so tokens, sealed texts and receipts stay
// valid. A directory of an earlier version gets the key of receipts. It does not change keys that the environment sets.
func (s *System) createSecrets() error {
	path := s.dir("secrets.json")
	secrets := map[string]string{}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if secrets, err = newSecrets(); err != nil {
			return err
		}
		if err := writeSecrets(path, secrets); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("read keys: %w", err)
	default:
		if err := json.Unmarshal(text, &secrets); err != nil {
			return fmt.Errorf("%s is damaged; remove it to get new keys, which ends all sessions", path)
		}
		if secrets[receiptsKey] == "" {
			secrets[receiptsKey] = randomKey()
			if err := writeSecrets(path, secrets); err != nil {
				return err
			}
		}
	}
	if s.env["TOKEN_PUBLIC_KEYS"] != "" || s.env["TOKEN_SIGNING_KEY"] != "" { // the two keys are a pair
		delete(secrets, "TOKEN_PUBLIC_KEYS")
		delete(secrets, "TOKEN_SIGNING_KEY")
	}
	for name, value := range secrets {
		s.set(name, value)
	}
	s.set("ADMIN_SETUP_TOKEN", "local-admin-setup")
	s.set("WEBHOOK_PRIVATE_ADDRESSES", "true") // receivers of webhooks and servers with pictures may be on this machine
	s.set("LIMITS_KEY", "local-limits")        // hides nothing from whoever has this machine
	return nil
}

func newSecrets() (map[string]string, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	key := map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": rand.Text()[:8],
		"x": base64.RawURLEncoding.EncodeToString(public)}
	set, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		return nil, fmt.Errorf("write key set: %w", err)
	}
	key["d"] = base64.RawURLEncoding.EncodeToString(private.Seed())
	signing, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("write signing key: %w", err)
	}
	return map[string]string{
		"TOKEN_PUBLIC_KEYS": string(set),
		"TOKEN_SIGNING_KEY": string(signing),
		"SEAL_KEYS":         randomKey(),
		receiptsKey:         randomKey(),
	}, nil
}

// receiptsKey is the variable with the key that signs receipts.
const receiptsKey = "RECEIPTS_KEY"

// randomKey returns 32 random bytes in base64.
func randomKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand, Go 1.24)
	return base64.StdEncoding.EncodeToString(key)
}

// writeSecrets replaces the file atomically: with an incomplete file nobody could sign in.
func writeSecrets(path string, secrets map[string]string) error {
	text, err := json.MarshalIndent(secrets, "", "  ")
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return nil
}

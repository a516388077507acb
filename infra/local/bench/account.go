package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
)

// keys adds new keys to env: for signing tokens and for sealing texts.
func keys(env config.Env) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make signing key: %w", err)
	}
	key := map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "bench",
		"x": base64.RawURLEncoding.EncodeToString(public)}
	set, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		return fmt.Errorf("write key set: %w", err)
	}
	key["d"] = base64.RawURLEncoding.EncodeToString(private.Seed())
	signing, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("write signing key: %w", err)
	}
	sealing := make([]byte, 32)
	_, _ = rand.Read(sealing) // never fails (crypto/rand, Go 1.24)
	env["TOKEN_PUBLIC_KEYS"], env["TOKEN_SIGNING_KEY"] = string(set), string(signing)
	env["SEAL_KEYS"] = base64.StdEncoding.EncodeToString(sealing)
	env["RECEIPTS_KEY"] = base64.StdEncoding.EncodeToString(make([]byte, 32)) // the same at each site of a database
	return nil
}

// SignIn signs a generated account in and returns its access token.
func (s *Site) SignIn(ctx context.Context, email string) (string, error) {
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	if err := s.client.Call(ctx, login(email), &tokens); err != nil {
		return "", fmt.Errorf("sign %s in: %w", email, err)
	}
	return tokens.AccessToken, nil
}

// accounts are the addresses of the accounts that sign in.
func accounts() []string {
	var out []string
	for i := range 32 {
		out = append(out, generate.CitizenEmail(i))
	}
	return out
}

// checkPassword computes one password hash, which every sign-in must do.
func checkPassword(ctx context.Context) error {
	_, err := credential.NewHasher(credential.PasswordConfig{}).Hash(ctx, generate.Password)
	return err
}

func login(email string) apiclient.Request {
	return apiclient.Request{Method: http.MethodPost, Path: "/auth/login", Body: map[string]string{"email": email, "password": generate.Password}}
}

// excerpt is the start of a body, for error messages.
func excerpt(r apiclient.Response) string {
	raw, err := r.Plain()
	if err != nil {
		return fmt.Sprintf("%d bytes", len(r.Body))
	}
	return fmt.Sprintf("%.300s", raw)
}

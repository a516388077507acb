// Package keys makes the keys of the system at its first deploy, so that no person
// knows them: the keys that sign tokens and receipts, the keys that seal small secrets,
// and the setup token of the first administrator. The function may write these secrets. It
// may not read any secret.
package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/start"
)

// Kinds of keys, as the template names them.
const (
	Signing  = "signing"  // an Ed25519 key pair: a private JWK in the secret, its public half as an attribute
	Sealing  = "sealing"  // 32 random bytes in base64
	Receipts = "receipts" // the same: the seed of an Ed25519 key
	Token    = "token"    // 130 random bits as text, for a person to copy
)

// Writer stores secret values.
type Writer interface {
	PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

// Maker implements the custom resource Custom::Key: one secret whose value is made
// once.
type Maker struct {
	secrets Writer
}

// New returns a Maker that stores values with w.
func New(w Writer) *Maker { return &Maker{secrets: w} }

// Open makes the function out of its configuration.
func Open(ctx context.Context, env config.Env) (start.Resource, error) {
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	return New(secretsmanager.NewFromConfig(cfg)), nil
}

// Apply implements start.Resource. Properties: Kind, SecretId, and KeyId for a
// signing key. Only a create request makes a value. An update changes nothing: to
// rotate a key, add a new one. The id of the resource contains the public half of a
// signing key, and an update takes the attributes from it: the public half is stored
// nowhere else.
func (m *Maker) Apply(ctx context.Context, e cfn.Event) (string, map[string]any, error) {
	if e.RequestType != cfn.RequestCreate {
		data, err := attributes(e.PhysicalResourceID)
		return e.PhysicalResourceID, data, err
	}
	kind, secret, keyID := property(e, "Kind"), property(e, "SecretId"), property(e, "KeyId")
	value, id, err := generate(kind, keyID)
	if err != nil {
		return "", nil, err
	}
	_, err = m.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(secret), SecretString: aws.String(value),
		ClientRequestToken: aws.String(e.RequestID), // a repeated delivery must not make a second value
	})
	if err != nil {
		return "", nil, fmt.Errorf("store the %s key: %w", kind, err)
	}
	data, err := attributes(id)
	return id, data, err
}

func property(e cfn.Event, name string) string {
	value, _ := e.ResourceProperties[name].(string)
	return value
}

// generate returns a fresh secret value and the id of its resource.
func generate(kind, keyID string) (string, string, error) {
	switch kind {
	case Signing:
		if keyID == "" || strings.ContainsAny(keyID, ":\"\\") {
			return "", "", errors.New("a signing key needs a KeyId without quotes or colons")
		}
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return "", "", fmt.Errorf("make a signing key: %w", err)
		}
		x := base64.RawURLEncoding.EncodeToString(public)
		jwk, err := json.Marshal(map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
			"kid": keyID, "x": x, "d": base64.RawURLEncoding.EncodeToString(private.Seed())})
		return string(jwk), strings.Join([]string{Signing, keyID, x}, ":"), err
	case Sealing, Receipts:
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand, Go 1.24)
		return base64.StdEncoding.EncodeToString(key), kind + ":" + rand.Text(), nil
	case Token:
		return rand.Text(), Token + ":" + rand.Text(), nil
	}
	return "", "", fmt.Errorf("kind of key %q is unknown", kind)
}

// attributes returns the attributes that the template can read of the resource with
// this id.
func attributes(id string) (map[string]any, error) {
	kind, rest, _ := strings.Cut(id, ":")
	if kind != Signing {
		return map[string]any{}, nil
	}
	keyID, x, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, errors.New("the id of a signing key contains no public key")
	}
	jwk, err := json.Marshal(map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": keyID, "x": x})
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return map[string]any{"PublicKey": string(jwk)}, nil
}

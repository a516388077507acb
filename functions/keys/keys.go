// Package keys makes the system's own keys when it is first deployed, so that no
// person ever holds one: the keys tokens are signed with, those that seal small
// secrets, and the token of the first administrator. It may write its secrets and
// read none, not even those it made.
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
	Signing = "signing" // an Ed25519 key pair: a private JWK in the secret, its public half as an attribute
	Sealing = "sealing" // 32 random bytes in base64
	Token   = "token"   // 130 random bits as text, for a person to copy
)

// Writer stores secret values.
type Writer interface {
	PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

// Maker is the custom resource "a key": one secret with a value made once.
type Maker struct {
	secrets Writer
}

// New writes through w.
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
// signing key. Only a creation makes a value; an update changes nothing, so a key
// is rotated by adding a new one. The resource's id carries what is public of the
// key, the only place it is kept: attributes of an update come from there.
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
	case Sealing:
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand, Go 1.24)
		return base64.StdEncoding.EncodeToString(key), Sealing + ":" + rand.Text(), nil
	case Token:
		return rand.Text(), Token + ":" + rand.Text(), nil
	}
	return "", "", fmt.Errorf("no keys of kind %q are made", kind)
}

// attributes are what the template may read of the resource called id.
func attributes(id string) (map[string]any, error) {
	kind, rest, _ := strings.Cut(id, ":")
	if kind != Signing {
		return map[string]any{}, nil
	}
	keyID, x, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, errors.New("the id of a signing key carries no public key")
	}
	jwk, err := json.Marshal(map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": keyID, "x": x})
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return map[string]any{"PublicKey": string(jwk)}, nil
}

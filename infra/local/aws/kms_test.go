package aws_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/lafaekstreet/backend/infra/local/aws"
)

func signingKey(t *testing.T, client *kms.Client) string {
	t.Helper()
	out, err := client.CreateKey(context.Background(), &kms.CreateKeyInput{KeySpec: "ECC_SECG_P256K1", KeyUsage: "SIGN_VERIFY"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateAlias(context.Background(), &kms.CreateAliasInput{AliasName: awssdk.String("alias/ledger"), TargetKeyId: out.KeyMetadata.KeyId}); err != nil {
		t.Fatal(err)
	}
	return *out.KeyMetadata.KeyId
}

func publicKey(t *testing.T, client *kms.Client, id string) *ecdsa.PublicKey {
	t.Helper()
	out, err := client.GetPublicKey(context.Background(), &kms.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.PublicKey) != 88 {
		t.Errorf("public key of %d bytes, want 88", len(out.PublicKey))
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(out.PublicKey, &info); err != nil {
		t.Fatal(err)
	}
	key, err := secp256k1.ParsePubKey(info.Key.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.ToECDSA()
}

func TestSign(t *testing.T) {
	t.Parallel()
	client := kms.NewFromConfig(start(t, aws.Options{}).Config())
	ctx := context.Background()
	public := publicKey(t, client, signingKey(t, client))
	digest := sha256.Sum256([]byte("transaction body"))
	half := new(big.Int).Rsh(secp256k1.Params().N, 1)
	high := 0
	for range 40 {
		out, err := client.Sign(ctx, &kms.SignInput{KeyId: awssdk.String("alias/ledger"), Message: digest[:], MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256"})
		if err != nil {
			t.Fatal(err)
		}
		if !ecdsa.VerifyASN1(public, digest[:], out.Signature) {
			t.Fatal("the signature is not over the digest itself")
		}
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(out.Signature, &rs); err != nil {
			t.Fatal(err)
		}
		if rs.S.Cmp(half) > 0 {
			high++
		}
	}
	if high < 5 || high > 35 {
		t.Errorf("%d of 40 signatures have a high s, want about half", high)
	}
	raw, err := client.Sign(ctx, &kms.SignInput{KeyId: awssdk.String("alias/ledger"), Message: []byte("transaction body"), SigningAlgorithm: "ECDSA_SHA_256"})
	if err != nil || !ecdsa.VerifyASN1(public, digest[:], raw.Signature) {
		t.Errorf("a raw message is not hashed first: %v", err)
	}
	if _, err := client.Sign(ctx, &kms.SignInput{KeyId: awssdk.String("alias/ledger"), Message: digest[:31], MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256"}); codeOf(err) != "ValidationException" {
		t.Errorf("a digest of 31 bytes: %v", err)
	}
	if _, err := client.Sign(ctx, &kms.SignInput{KeyId: awssdk.String("alias/none"), Message: digest[:], MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256"}); codeOf(err) != "NotFoundException" {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: awssdk.String("alias/ledger")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Sign(ctx, &kms.SignInput{KeyId: awssdk.String("alias/ledger"), Message: digest[:], MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256"}); codeOf(err) != "DisabledException" {
		t.Errorf("a disabled key: %v", err)
	}
}

// The key of the public log: KMS signs the message itself, and gives the public key as a SubjectPublicKeyInfo (RFC 8410).
func TestSignEd25519(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	server := start(t, aws.Options{Dir: dir})
	client := kms.NewFromConfig(server.Config())
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY"})
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	client = kms.NewFromConfig(start(t, aws.Options{Dir: dir}).Config()) // the key survives a restart
	id := made.KeyMetadata.KeyId
	public, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: id})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(public.PublicKey)
	if err != nil || len(public.PublicKey) != 44 || public.KeySpec != "ECC_NIST_EDWARDS25519" {
		t.Fatalf("public key of %d bytes, spec %s: %v", len(public.PublicKey), public.KeySpec, err)
	}
	sign := func(message []byte, kind types.MessageType, algorithm types.SigningAlgorithmSpec) ([]byte, error) {
		out, err := client.Sign(ctx, &kms.SignInput{KeyId: id, Message: message, MessageType: kind, SigningAlgorithm: algorithm})
		if err != nil {
			return nil, err
		}
		return out.Signature, nil
	}
	message := bytes.Repeat([]byte("c"), 4096)
	if signature, err := sign(message, "RAW", "ED25519_SHA_512"); err != nil || !ed25519.Verify(key.(ed25519.PublicKey), message, signature) {
		t.Errorf("the signature is not over the message: %v", err)
	}
	for name, err := range map[string]error{
		"ValidationException: a message of 4097 bytes": second(sign(append(message, 'd'), "RAW", "ED25519_SHA_512")),
		"ValidationException: a digest":                second(sign(message[:64], "DIGEST", "ED25519_SHA_512")),
		"InvalidKeyUsageException: ECDSA":              second(sign(message, "RAW", "ECDSA_SHA_256")),
	} {
		if code, what, _ := strings.Cut(name, ": "); codeOf(err) != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestKeysSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, aws.Options{Dir: dir})
	client := kms.NewFromConfig(server.Config())
	before := publicKey(t, client, signingKey(t, client))
	_ = server.Close()
	info, err := os.Stat(filepath.Join(dir, "kms", "keys.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file %v, %v", info, err)
	}
	client = kms.NewFromConfig(start(t, aws.Options{Dir: dir}).Config())
	if after := publicKey(t, client, "alias/ledger"); !after.Equal(before) {
		t.Error("another key after the restart")
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	server := start(t, aws.Options{Dir: dir})
	client := secretsmanager.NewFromConfig(server.Config())
	made, err := client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: awssdk.String("lafaek/database"), SecretString: awssdk.String("one")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: awssdk.String("lafaek/database"), SecretString: awssdk.String("two")}); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	client = secretsmanager.NewFromConfig(start(t, aws.Options{Dir: dir}).Config())
	got, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: made.ARN})
	if err != nil || *got.SecretString != "two" {
		t.Errorf("value %v, %v", got, err)
	}
	again := &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: awssdk.String("three"), ClientRequestToken: got.VersionId}
	if _, err := client.PutSecretValue(ctx, again); err != nil {
		t.Fatal(err)
	}
	if got, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: made.ARN}); err != nil || *got.SecretString != "two" {
		t.Errorf("a repeated request token set the value %v, %v", got, err)
	}
	if _, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: awssdk.String("none")}); codeOf(err) != "ResourceNotFoundException" {
		t.Errorf("an unknown secret: %v", err)
	}
}

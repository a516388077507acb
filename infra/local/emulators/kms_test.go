package emulators

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lafaekstreet/backend/functions/anchor"
)

// A message to the ledger is signed by another KMS. Signer itself compares the signature with the public key.
func TestTheLedgersKey(t *testing.T) {
	dir := t.TempDir()
	cfg := run(t, "local-kms", func(port string) ([]string, []string) {
		return nil, []string{"PORT=" + port, "KMS_DATA_PATH=" + dir, "KMS_REGION=us-east-1"}
	})
	client := kms.NewFromConfig(cfg)
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecEccSecgP256k1, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	s := anchor.NewSigner(client, aws.ToString(made.KeyMetadata.KeyId), 10*time.Second)
	public, err := s.PublicKey(t.Context())
	if err != nil || len(public) != 33 {
		t.Fatalf("the public key has %d bytes, %v", len(public), err)
	}
	for range 8 { // S is in the upper half for every second signature, and is turned
		signature, err := s.Sign(t.Context(), []byte("a message to the ledger"))
		if err != nil || len(signature) != 64 {
			t.Errorf("a signature of %d bytes, %v", len(signature), err)
		}
	}
	if _, err := anchor.NewSigner(client, "alias/none", 10*time.Second).Sign(t.Context(), []byte("x")); err == nil {
		t.Error("a key that does not exist signs")
	}
}

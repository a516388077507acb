package keys_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lafaekstreet/backend/functions/keys"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// vault is a Secrets Manager that can be written.
type vault struct {
	values map[string]string
	tokens map[string]string
	fail   error
}

func (v *vault) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	if v.fail != nil {
		return nil, v.fail
	}
	v.values[aws.ToString(in.SecretId)] = aws.ToString(in.SecretString)
	v.tokens[aws.ToString(in.SecretId)] = aws.ToString(in.ClientRequestToken)
	return &secretsmanager.PutSecretValueOutput{}, nil
}

func setup(t *testing.T) (*keys.Maker, *vault) {
	t.Helper()
	v := &vault{values: make(map[string]string), tokens: make(map[string]string)}
	return keys.New(v), v
}

func create(kind, keyID string) cfn.Event {
	return cfn.Event{RequestType: cfn.RequestCreate, RequestID: "request-1", ResourceProperties: map[string]any{
		"Kind": kind, "SecretId": "arn:" + kind, "KeyId": keyID}}
}

func TestSigningKey(t *testing.T) {
	t.Parallel()
	m, v := setup(t)
	id, data, err := m.Apply(t.Context(), create(keys.Signing, "1"))
	if err != nil {
		t.Fatal(err)
	}
	public, _ := data["PublicKey"].(string)
	if _, err := identity.NewVerifier(identity.Config{PublicKeys: `{"keys":[` + public + `]}`}, timestamp.System{}); err != nil {
		t.Errorf("the functions do not take the public key: %v", err)
	}
	private := v.values["arn:signing"]
	if !strings.Contains(private, `"d":"`) || strings.Contains(id+public, `"d"`) {
		t.Errorf("the private half is not where it belongs; id %q, attribute %s", id, public)
	}
	if v.tokens["arn:signing"] != "request-1" {
		t.Error("a repeated delivery would make a second value")
	}
	update := cfn.Event{RequestType: cfn.RequestUpdate, PhysicalResourceID: id, ResourceProperties: map[string]any{"Kind": keys.Signing}}
	again, same, err := m.Apply(t.Context(), update)
	if err != nil || again != id || same["PublicKey"] != public || v.values["arn:signing"] != private {
		t.Errorf("an update changed the key: %q %v %v", again, same, err)
	}
}

func TestSealingKeyAndToken(t *testing.T) {
	t.Parallel()
	m, v := setup(t)
	ids := make(map[string]bool)
	for range 2 {
		id, data, err := m.Apply(t.Context(), create(keys.Sealing, ""))
		if err != nil || len(data) != 0 {
			t.Fatalf("got %v, %v", data, err)
		}
		ids[id] = true
		if _, err := seal.New(seal.Config{Keys: []string{v.values["arn:sealing"]}}); err != nil {
			t.Errorf("the functions do not take the key: %v", err)
		}
		if raw, _ := base64.StdEncoding.DecodeString(v.values["arn:sealing"]); strings.Contains(id, string(raw)) {
			t.Error("the id tells the key")
		}
	}
	if len(ids) != 2 {
		t.Error("two keys share an id")
	}
	if _, _, err := m.Apply(t.Context(), create(keys.Token, "")); err != nil || len(v.values["arn:token"]) < 26 {
		t.Errorf("token %q, %v", v.values["arn:token"], err)
	}
}

func TestReceiptsKey(t *testing.T) {
	t.Parallel()
	m, v := setup(t)
	id, data, err := m.Apply(t.Context(), create(keys.Receipts, "1"))
	if err != nil || len(data) != 0 || !strings.HasPrefix(id, "receipts:") {
		t.Fatalf("got %q, %v, %v", id, data, err)
	}
	if _, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: "log.example/log", Key: v.values["arn:receipts"]}); err != nil {
		t.Errorf("the functions do not take the key: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	m, v := setup(t)
	for _, e := range []cfn.Event{create("rsa", ""), create(keys.Signing, ""), create(keys.Signing, `a:b`)} {
		if _, _, err := m.Apply(t.Context(), e); err == nil {
			t.Errorf("%v was made", e.ResourceProperties)
		}
	}
	v.fail = errors.New("AccessDenied")
	if _, _, err := m.Apply(t.Context(), create(keys.Token, "")); !errors.Is(err, v.fail) {
		t.Errorf("got %v", err)
	}
}

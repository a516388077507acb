// Package kms stands in for AWS KMS: secp256k1 signing keys and symmetric
// encryption keys, kept in one private file.
package kms

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// Key specs and usages served.
const (
	specSecp256k1 = "ECC_SECG_P256K1"
	specSymmetric = "SYMMETRIC_DEFAULT"
	usageSign     = "SIGN_VERIFY"
	usageEncrypt  = "ENCRYPT_DECRYPT"
)

// Options configures a Service.
type Options struct {
	// Dir keeps the keys across restarts; empty keeps them in memory.
	Dir               string
	Region, AccountID string
	Now               func() time.Time
}

// Service holds the keys of one account.
type Service struct {
	opts Options
	path string

	mu    sync.Mutex
	state state
}

// state is the file's content.
type state struct {
	Keys    map[string]*key   `json:"keys"`
	Aliases map[string]string `json:"aliases"` // "alias/name" → key id
}

type key struct {
	ID          string    `json:"id"`
	Spec        string    `json:"spec"`
	Usage       string    `json:"usage"`
	Description string    `json:"description"`
	Created     time.Time `json:"created"`
	Enabled     bool      `json:"enabled"`
	Deleted     time.Time `json:"deleted,omitzero"` // when deletion was scheduled for
	Secret      string    `json:"secret"`           // 32 bytes, hex
}

func (k *key) secret() []byte {
	raw, _ := hex.DecodeString(k.Secret)
	return raw
}

func (k *key) signer() *ecdsa.PrivateKey { return secp256k1.PrivKeyFromBytes(k.secret()).ToECDSA() }

// New opens the keys kept in opts.Dir.
func New(opts Options) (*Service, error) {
	s := &Service{opts: opts, state: state{Keys: map[string]*key{}, Aliases: map[string]string{}}}
	if opts.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("kms: %w", err)
	}
	s.path = filepath.Join(opts.Dir, "keys.json")
	raw, err := os.ReadFile(s.path)
	if os.IsNotExist(err) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kms: %w", err)
	}
	if err := json.Unmarshal(raw, &s.state); err != nil {
		return nil, fmt.Errorf("kms: %s: %w", s.path, err)
	}
	return s, nil
}

// save keeps the keys; Service.mu is held.
func (s *Service) save() error {
	if s.path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(s.state, "", "  ")
	if err != nil {
		return fmt.Errorf("kms: %w", err)
	}
	if err := os.WriteFile(s.path+".next", raw, 0o600); err != nil {
		return fmt.Errorf("kms: %w", err)
	}
	return os.Rename(s.path+".next", s.path)
}

// Protocol is how KMS words its answers.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "kms", ContentType: "application/x-amz-json-1.1",
		Internal:  awsjson.Error{Code: "KMSInternalException", Message: "The request was rejected because an internal exception occurred. The request can be retried.", Status: 500},
		Throttled: awsjson.Error{Code: "ThrottlingException", Message: "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.", Status: 400},
	}
}

// Operations are the calls served, by name.
func (s *Service) Operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateKey":           awsjson.Op(s.createKey),
		"CreateAlias":         awsjson.Op(s.createAlias),
		"UpdateAlias":         awsjson.Op(s.updateAlias),
		"DeleteAlias":         awsjson.Op(s.deleteAlias),
		"ListAliases":         awsjson.Op(s.listAliases),
		"ListKeys":            awsjson.Op(s.listKeys),
		"DescribeKey":         awsjson.Op(s.describeKey),
		"EnableKey":           awsjson.Op(s.enable(true)),
		"DisableKey":          awsjson.Op(s.enable(false)),
		"ScheduleKeyDeletion": awsjson.Op(s.scheduleDeletion),
		"GetPublicKey":        awsjson.Op(s.publicKey),
		"Sign":                awsjson.Op(s.sign),
		"Verify":              awsjson.Op(s.verify),
		"Encrypt":             awsjson.Op(s.encrypt),
		"Decrypt":             awsjson.Op(s.decrypt),
		"GenerateDataKey":     awsjson.Op(s.generateDataKey),
	}
}

func (s *Service) arn(id string) string {
	return "arn:aws:kms:" + s.opts.Region + ":" + s.opts.AccountID + ":key/" + id
}

// find takes a key id, a key ARN, an alias name or an alias ARN.
func (s *Service) find(id string) (*key, error) {
	name := id
	if strings.HasPrefix(id, "arn:") {
		name = id[strings.LastIndexByte(id, ':')+1:]
		name = strings.TrimPrefix(name, "key/")
	}
	if strings.HasPrefix(name, "alias/") {
		target, ok := s.state.Aliases[name]
		if !ok {
			return nil, awsjson.Errorf("NotFoundException", "Alias %s is not found.", s.aliasARN(name))
		}
		name = target
	}
	if k, ok := s.state.Keys[name]; ok {
		return k, nil
	}
	return nil, awsjson.Errorf("NotFoundException", "Key '%s' does not exist", s.arn(name))
}

// usable is find for an operation with the key's secret.
func (s *Service) usable(id, usage string) (*key, error) {
	k, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if !k.Deleted.IsZero() {
		return nil, awsjson.Errorf("KMSInvalidStateException", "%s is pending deletion.", s.arn(k.ID))
	}
	if !k.Enabled {
		return nil, awsjson.Errorf("DisabledException", "%s is disabled.", s.arn(k.ID))
	}
	if k.Usage != usage {
		return nil, awsjson.Errorf("InvalidKeyUsageException", "%s key usage is %s which is not valid for this operation.", s.arn(k.ID), k.Usage)
	}
	return k, nil
}

func (s *Service) aliasARN(name string) string {
	return "arn:aws:kms:" + s.opts.Region + ":" + s.opts.AccountID + ":" + name
}

type metadata struct {
	AWSAccountId          string
	Arn                   string
	CreationDate          float64
	CustomerMasterKeySpec string
	Description           string
	Enabled               bool
	EncryptionAlgorithms  []string `json:",omitempty"`
	KeyId                 string
	KeyManager            string
	KeySpec               string
	KeyState              string
	KeyUsage              string
	MultiRegion           bool
	Origin                string
	SigningAlgorithms     []string `json:",omitempty"`
}

type metadataOutput struct{ KeyMetadata metadata }

func (s *Service) metadata(k *key) metadataOutput {
	m := metadata{
		AWSAccountId: s.opts.AccountID, Arn: s.arn(k.ID), CreationDate: float64(k.Created.UnixMilli()) / 1000,
		CustomerMasterKeySpec: k.Spec, Description: k.Description, Enabled: k.Enabled, KeyId: k.ID, KeyManager: "CUSTOMER",
		KeySpec: k.Spec, KeyState: "Enabled", KeyUsage: k.Usage, Origin: "AWS_KMS",
	}
	switch {
	case !k.Deleted.IsZero():
		m.KeyState = "PendingDeletion"
	case !k.Enabled:
		m.KeyState = "Disabled"
	}
	if k.Usage == usageSign {
		m.SigningAlgorithms = []string{algorithm}
	} else {
		m.EncryptionAlgorithms = []string{specSymmetric}
	}
	return metadataOutput{m}
}

type createKeyInput struct {
	KeySpec, CustomerMasterKeySpec, KeyUsage, Description string
}

func (s *Service) createKey(_ context.Context, in createKeyInput) (metadataOutput, error) {
	if in.KeySpec == "" {
		in.KeySpec = in.CustomerMasterKeySpec
	}
	if in.KeySpec == "" {
		in.KeySpec = specSymmetric
	}
	if in.KeyUsage == "" {
		in.KeyUsage = usageEncrypt
	}
	if in.KeySpec == specSecp256k1 && in.KeyUsage != usageSign || in.KeySpec == specSymmetric && in.KeyUsage != usageEncrypt {
		return metadataOutput{}, awsjson.Errorf("ValidationException", "The operation failed because the KeyUsage value of the KMS key is not compatible with KeySpec %s.", in.KeySpec)
	}
	k := &key{ID: uuid.NewString(), Spec: in.KeySpec, Usage: in.KeyUsage, Description: in.Description, Created: s.opts.Now().UTC(), Enabled: true}
	switch in.KeySpec {
	case specSecp256k1:
		private, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			return metadataOutput{}, err
		}
		k.Secret = private.Key.String()
	case specSymmetric:
		secret := make([]byte, 32)
		_, _ = rand.Read(secret)
		k.Secret = hex.EncodeToString(secret)
	default:
		return metadataOutput{}, awsjson.Errorf("UnsupportedOperationException", "The local stand-in makes %s and %s keys only.", specSecp256k1, specSymmetric)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Keys[k.ID] = k
	return s.metadata(k), s.save()
}

type keyInput struct{ KeyId string }

func (s *Service) describeKey(_ context.Context, in keyInput) (metadataOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.find(in.KeyId)
	if err != nil {
		return metadataOutput{}, err
	}
	return s.metadata(k), nil
}

type listedKey struct{ KeyId, KeyArn string }

type listKeysOutput struct {
	Keys      []listedKey
	Truncated bool
}

func (s *Service) listKeys(context.Context, struct{}) (listKeysOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := listKeysOutput{Keys: []listedKey{}}
	for _, id := range slices.Sorted(maps.Keys(s.state.Keys)) {
		out.Keys = append(out.Keys, listedKey{id, s.arn(id)})
	}
	return out, nil
}

type empty struct{}

func (s *Service) enable(on bool) func(context.Context, keyInput) (empty, error) {
	return func(_ context.Context, in keyInput) (empty, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		k, err := s.find(in.KeyId)
		if err != nil {
			return empty{}, err
		}
		k.Enabled = on
		return empty{}, s.save()
	}
}

type deletionInput struct {
	KeyId               string
	PendingWindowInDays *int
}

type deletionOutput struct {
	KeyId, KeyState     string
	DeletionDate        float64
	PendingWindowInDays int
}

func (s *Service) scheduleDeletion(_ context.Context, in deletionInput) (deletionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.find(in.KeyId)
	if err != nil {
		return deletionOutput{}, err
	}
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return deletionOutput{}, awsjson.Errorf("ValidationException", "PendingWindowInDays must be between 7 and 30.")
	}
	k.Enabled, k.Deleted = false, s.opts.Now().UTC().AddDate(0, 0, days)
	return deletionOutput{s.arn(k.ID), "PendingDeletion", float64(k.Deleted.Unix()), days}, s.save()
}

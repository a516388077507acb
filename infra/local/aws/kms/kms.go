// Package kms stands in for AWS KMS: signing keys of two specs, secp256k1 and Ed25519, kept in one private file.
package kms

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
	"github.com/lafaekstreet/backend/infra/local/journal"
)

// keyUsage is the usage of every key of the stand-in.
const keyUsage = "SIGN_VERIFY"

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
	kept *journal.State

	mu    sync.Mutex
	state state
}

// state is the file's content.
type state struct {
	Keys    map[string]*key   `json:"keys"`
	Aliases map[string]string `json:"aliases"` // "alias/name" → key id
}

type key struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Enabled bool      `json:"enabled"`
	Secret  string    `json:"secret"` // 32 bytes, hex
	// Spec is empty in files of earlier versions, which had secp256k1 keys alone.
	Spec string `json:"spec,omitempty"`
}

func (k *key) kind() spec {
	if k.Spec == ed25519Spec {
		return ed25519Key{}
	}
	return secp256k1Key{}
}

func (k *key) secret() []byte {
	raw, _ := hex.DecodeString(k.Secret)
	return raw
}

// New opens the keys kept in opts.Dir.
func New(opts Options) (*Service, error) {
	s := &Service{opts: opts, state: state{Keys: map[string]*key{}, Aliases: map[string]string{}}}
	var err error
	if s.kept, err = journal.NewState(opts.Dir, "keys.json", &s.state); err != nil {
		return nil, fmt.Errorf("kms: %w", err)
	}
	return s, nil
}

// save writes the state to its file. The caller holds Service.mu.
func (s *Service) save() error { return s.kept.Save(s.state) }

// Protocol describes the answers of KMS.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "kms", ContentType: "application/x-amz-json-1.1",
		Internal:  awsjson.Error{Code: "KMSInternalException", Message: "The request was rejected because an internal exception occurred. The request can be retried.", Status: 500},
		Throttled: awsjson.Error{Code: "ThrottlingException", Message: "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.", Status: 400},
	}
}

// Operations are the operations served, by name.
func (s *Service) Operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateKey":    awsjson.Op(s.createKey),
		"CreateAlias":  awsjson.Op(s.createAlias),
		"DescribeKey":  awsjson.Op(s.describeKey),
		"EnableKey":    awsjson.Op(s.enable(true)),
		"DisableKey":   awsjson.Op(s.enable(false)),
		"GetPublicKey": awsjson.Op(s.publicKey),
		"Sign":         awsjson.Op(s.sign),
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

// usable finds a key that is enabled.
func (s *Service) usable(id string) (*key, error) {
	k, err := s.find(id)
	if err == nil && !k.Enabled {
		return nil, awsjson.Errorf("DisabledException", "%s is disabled.", s.arn(k.ID))
	}
	return k, err
}

func (s *Service) aliasARN(name string) string {
	return "arn:aws:kms:" + s.opts.Region + ":" + s.opts.AccountID + ":" + name
}

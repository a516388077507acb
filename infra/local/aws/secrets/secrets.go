// Package secrets stands in for AWS Secrets Manager. It keeps the current version of a secret, as text.
package secrets

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
	"github.com/lafaekstreet/backend/infra/local/journal"
)

// maxBytes is the longest secret the service takes.
const maxBytes = 65536

// Options configures a Service.
type Options struct {
	// Dir keeps the secrets across restarts; empty keeps them in memory.
	Dir               string
	Region, AccountID string
	Now               func() time.Time
}

// Service holds the secrets of one account.
type Service struct {
	opts Options
	kept *journal.State

	mu      sync.Mutex
	secrets map[string]*secret // by name
}

type secret struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	Version string    `json:"version"` // empty before the first value
	Value   string    `json:"value"`
	Set     time.Time `json:"set,omitzero"` // when the value was set
}

// New opens the secrets kept in opts.Dir.
func New(opts Options) (*Service, error) {
	s := &Service{opts: opts, secrets: map[string]*secret{}}
	var err error
	if s.kept, err = journal.NewState(opts.Dir, "secrets.json", &s.secrets); err != nil {
		return nil, fmt.Errorf("secrets: %w", err)
	}
	return s, nil
}

// save writes the secrets to their file. The caller holds Service.mu.
func (s *Service) save() error { return s.kept.Save(s.secrets) }

// Protocol describes the answers of Secrets Manager.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "secretsmanager", ContentType: "application/x-amz-json-1.1",
		Internal:  awsjson.Error{Code: "InternalServiceError", Message: "An error occurred on the server side.", Status: 500},
		Throttled: awsjson.Error{Code: "ThrottlingException", Message: "Rate exceeded", Status: 400},
	}
}

// Operations are the operations served, by name.
func (s *Service) Operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateSecret":   awsjson.Op(s.create),
		"GetSecretValue": awsjson.Op(s.value),
		"PutSecretValue": awsjson.Op(s.put),
	}
}

// find takes a name, a full ARN or an ARN without its random ending.
func (s *Service) find(id string) (*secret, error) {
	for _, v := range s.secrets {
		if v.Name == id || v.ARN == id || strings.HasPrefix(id, "arn:") && strings.HasPrefix(v.ARN, id+"-") {
			return v, nil
		}
	}
	return nil, awsjson.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

type input struct {
	Name, SecretId     string
	SecretString       *string
	ClientRequestToken string
}

type output struct {
	ARN, Name     string
	VersionId     string   `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
	SecretString  string   `json:",omitempty"`
	CreatedDate   float64  `json:",omitempty"` // seconds since 1970
}

// set stores the value of in. A request token that was used before stores nothing, as with the service.
func (v *secret) set(in input, now time.Time) error {
	if in.SecretString == nil {
		return awsjson.Errorf("InvalidRequestException", "You must provide SecretString; the local stand-in keeps text only.")
	}
	if len(*in.SecretString) > maxBytes {
		return awsjson.Errorf("ValidationException", "The secret value is longer than %d bytes.", maxBytes)
	}
	if in.ClientRequestToken == "" {
		in.ClientRequestToken = uuid.NewString()
	}
	if in.ClientRequestToken != v.Version {
		v.Version, v.Value, v.Set = in.ClientRequestToken, *in.SecretString, now.UTC()
	}
	return nil
}

func (v *secret) head() output {
	out := output{ARN: v.ARN, Name: v.Name, VersionId: v.Version}
	if v.Version != "" {
		out.VersionStages = []string{"AWSCURRENT"}
	}
	return out
}

func (s *Service) create(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.Name == "" {
		return output{}, awsjson.Errorf("ValidationException", "Name is required.")
	}
	if s.secrets[in.Name] != nil {
		return output{}, awsjson.Errorf("ResourceExistsException", "The operation failed because the secret %s already exists.", in.Name)
	}
	v := &secret{
		Name: in.Name, ARN: "arn:aws:secretsmanager:" + s.opts.Region + ":" + s.opts.AccountID + ":secret:" + in.Name + "-" + uuid.NewString()[:6],
	}
	if in.SecretString != nil {
		if err := v.set(in, s.opts.Now()); err != nil {
			return output{}, err
		}
	}
	s.secrets[in.Name] = v
	return v.head(), s.save()
}

func (s *Service) value(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(in.SecretId)
	if err != nil {
		return output{}, err
	}
	if v.Version == "" {
		return output{}, awsjson.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	}
	out := v.head()
	out.SecretString, out.CreatedDate = v.Value, float64(v.Set.UnixMilli())/1000
	return out, nil
}

func (s *Service) put(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(in.SecretId)
	if err != nil {
		return output{}, err
	}
	if err := v.set(in, s.opts.Now()); err != nil {
		return output{}, err
	}
	return v.head(), s.save()
}

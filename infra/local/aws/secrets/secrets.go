// Package secrets stands in for AWS Secrets Manager.
package secrets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
	"github.com/lafaekstreet/backend/infra/local/journal"
)

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
	secrets map[string]*secret
}

type secret struct {
	Name        string    `json:"name"`
	ARN         string    `json:"arn"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"`
	Versions    []version `json:"versions"` // oldest first; the last is AWSCURRENT
}

type version struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	String  *string   `json:"string,omitempty"`
	Binary  []byte    `json:"binary,omitempty"`
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

// save keeps what there is; Service.mu is held.
func (s *Service) save() error { return s.kept.Save(s.secrets) }

// Protocol is how Secrets Manager words its answers.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "secretsmanager", ContentType: "application/x-amz-json-1.1",
		Internal:  awsjson.Error{Code: "InternalServiceError", Message: "An error occurred on the server side.", Status: 500},
		Throttled: awsjson.Error{Code: "ThrottlingException", Message: "Rate exceeded", Status: 400},
	}
}

// Operations are the calls served, by name.
func (s *Service) Operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateSecret":   awsjson.Op(s.create),
		"GetSecretValue": awsjson.Op(s.value),
		"PutSecretValue": awsjson.Op(s.put),
		"UpdateSecret":   awsjson.Op(s.put),
		"DescribeSecret": awsjson.Op(s.describe),
		"DeleteSecret":   awsjson.Op(s.remove),
		"ListSecrets":    awsjson.Op(s.list),
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
	Name, SecretId, Description, VersionId, VersionStage string
	SecretString                                         *string
	SecretBinary                                         []byte
	ClientRequestToken                                   string
}

func (in input) version(now time.Time) (version, error) {
	if (in.SecretString != nil) == (in.SecretBinary != nil) {
		return version{}, awsjson.Errorf("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	size := len(in.SecretBinary)
	if in.SecretString != nil {
		size = len(*in.SecretString)
	}
	if size > 65536 {
		return version{}, awsjson.Errorf("ValidationException", "The secret value is longer than 65536 bytes.")
	}
	id := in.ClientRequestToken
	if id == "" {
		id = uuid.NewString()
	}
	return version{ID: id, Created: now.UTC(), String: in.SecretString, Binary: in.SecretBinary}, nil
}

type output struct {
	ARN, Name     string
	VersionId     string   `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
	SecretString  *string  `json:",omitempty"`
	SecretBinary  []byte   `json:",omitempty"`
	Description   string   `json:",omitempty"`
	CreatedDate   float64  `json:",omitempty"`
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
		Name: in.Name, Description: in.Description, Created: s.opts.Now().UTC(),
		ARN: "arn:aws:secretsmanager:" + s.opts.Region + ":" + s.opts.AccountID + ":secret:" + in.Name + "-" + uuid.NewString()[:6],
	}
	if in.SecretString != nil || in.SecretBinary != nil {
		first, err := in.version(s.opts.Now())
		if err != nil {
			return output{}, err
		}
		v.Versions = append(v.Versions, first)
	}
	s.secrets[in.Name] = v
	return v.head(), s.save()
}

func (v *secret) head() output {
	out := output{ARN: v.ARN, Name: v.Name}
	if n := len(v.Versions); n > 0 {
		out.VersionId, out.VersionStages = v.Versions[n-1].ID, []string{"AWSCURRENT"}
	}
	return out
}

func (s *Service) value(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(in.SecretId)
	if err != nil {
		return output{}, err
	}
	for i, held := range slices.Backward(v.Versions) {
		stages := []string(nil)
		switch i {
		case len(v.Versions) - 1:
			stages = []string{"AWSCURRENT"}
		case len(v.Versions) - 2:
			stages = []string{"AWSPREVIOUS"}
		}
		stage := in.VersionStage
		if stage == "" && in.VersionId == "" {
			stage = "AWSCURRENT"
		}
		if in.VersionId != "" && in.VersionId != held.ID || stage != "" && !slices.Contains(stages, stage) {
			continue
		}
		return output{
			ARN: v.ARN, Name: v.Name, VersionId: held.ID, VersionStages: stages, SecretString: held.String, SecretBinary: held.Binary,
			CreatedDate: float64(held.Created.UnixMilli()) / 1000,
		}, nil
	}
	return output{}, awsjson.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
}

func (s *Service) put(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(in.SecretId)
	if err != nil {
		return output{}, err
	}
	next, err := in.version(s.opts.Now())
	if err != nil {
		return output{}, err
	}
	v.Versions = append(v.Versions, next)
	return v.head(), s.save()
}

func (s *Service) describe(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(in.SecretId)
	if err != nil {
		return output{}, err
	}
	return output{ARN: v.ARN, Name: v.Name, Description: v.Description, CreatedDate: float64(v.Created.Unix())}, nil
}

// remove deletes at once; the service would wait for the recovery window.
func (s *Service) remove(_ context.Context, in input) (output, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(in.SecretId)
	if err != nil {
		return output{}, err
	}
	delete(s.secrets, v.Name)
	return output{ARN: v.ARN, Name: v.Name}, s.save()
}

type listOutput struct{ SecretList []output }

func (s *Service) list(context.Context, struct{}) (listOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := listOutput{SecretList: []output{}}
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		out.SecretList = append(out.SecretList, output{ARN: s.secrets[name].ARN, Name: name})
	}
	return out, nil
}

// Package bedrock stands in for Amazon Bedrock Runtime: Converse with a forced
// tool, and the multimodal embedding model by InvokeModel.
//
// There is no model behind it. A verdict is computed from a few statistics of the picture: the same picture gets the same
// verdict, in any schema of the tool. Tests and demonstrations script other verdicts. An embedding is a projection
// of the coarse structure of a picture, so the embeddings of similar pictures are close.
package bedrock

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
	"github.com/lafaekstreet/backend/infra/local/faults"
)

// Model is the name that the stand-in gives itself in its answers. Both operations also serve it as a model id: a system
// configured with it records that no real model judged.
const Model = "local-stand-in"

// EmbeddingModel is the embedding model served by InvokeModel.
const EmbeddingModel = "amazon.nova-2-multimodal-embeddings-v1:0"

// Service answers in place of the models.
type Service struct {
	now    func() time.Time
	script script
	calls  callLog
	seen   seen
}

// New returns a Service with nothing scripted.
func New(now func() time.Time) *Service { return &Service{now: now} }

// Protocol describes the answers of Bedrock.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "bedrock", ContentType: "application/json",
		Internal:  awsjson.Error{Code: "InternalServerException", Message: "The system encountered an unexpected error during processing. Try your request again.", Status: 500},
		Throttled: awsjson.Error{Code: "ThrottlingException", Message: "Too many requests, please wait before trying again.", Status: 429},
	}
}

func invalid(format string, args ...any) error {
	return awsjson.Errorf("ValidationException", format, args...)
}

var (
	modelPath = regexp.MustCompile(`^/model/([^/]+)/(converse|invoke)$`)
	// chatModel matches the Nova models, with or without the prefix of an inference profile.
	chatModel = regexp.MustCompile(`^((us|eu|apac|jp|au|ca|global)\.)?amazon\.nova-(micro|lite|pro|premier|2-lite|2-pro)-v1:0$`)
)

// Serve answers one verified request.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, set *faults.Set, body []byte) {
	p := Protocol()
	w.Header().Set("X-Stand-In-Model", Model)
	match := modelPath.FindStringSubmatch(r.URL.EscapedPath())
	if match == nil || r.Method != http.MethodPost {
		p.WriteError(w, &awsjson.Error{Code: "UnknownOperationException", Message: "the local stand-in serves converse and invoke only", Status: http.StatusNotFound})
		return
	}
	id, err := url.PathUnescape(match[1])
	if err != nil {
		p.WriteError(w, invalid("The provided model identifier is invalid."))
		return
	}
	if strings.HasPrefix(id, "arn:") {
		id = id[strings.LastIndexByte(id, '/')+1:]
	}
	name, op, malformed := "Converse", awsjson.Op(s.converse), malformedConverse
	if match[2] == "invoke" {
		name, op, malformed = "InvokeModel", awsjson.Op(s.embed), malformedEmbedding
	}
	known := id == Model || name == "Converse" && chatModel.MatchString(id) || name == "InvokeModel" && id == EmbeddingModel
	serve := func(w http.ResponseWriter, r *http.Request) {
		p.Serve(w, r, nil, name, body, func(ctx context.Context, body []byte) (any, error) {
			if !known {
				return nil, invalid("The provided model identifier is invalid.")
			}
			return op(ctx, body)
		})
	}
	set.Serve(w, r, "bedrock", name, faults.Replies{
		Error:    func(w http.ResponseWriter, _ *http.Request) { p.WriteError(w, &p.Internal) },
		Throttle: func(w http.ResponseWriter, _ *http.Request) { p.WriteError(w, &p.Throttled) },
		// The content is nonsense; the answer around it is well formed, as with a real model.
		Malformed: func(w http.ResponseWriter, r *http.Request) { p.Serve(w, r, nil, name, body, malformed) },
	}, serve)
}

// formats are the picture formats that the models read.
func formats() []string { return []string{"png", "jpeg", "gif", "webp"} }

func knownFormat(f string) bool { return slices.Contains(formats(), f) }

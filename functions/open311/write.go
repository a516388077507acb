package open311

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/upload"
)

// limiter counts what API keys do.
type limiter interface {
	// Admit spends budgets.
	Admit(ctx context.Context, session uuid.UUID, spends []admission.Spend) (identity.Session, []admission.Budget, error)
	// Return gives back what was spent.
	Return(ctx context.Context, spends []admission.Spend) []admission.Budget
}

// Write has what operations that write read of a request. Embed it in their inputs. It is exported because huma reads only exported
// embedded structs.
type Write struct {
	Call
	ContentType string `header:"Content-Type"`
	Secret      string `header:"X-API-Key" doc:"The API key, instead of the field api_key"`
	RawBody     []byte
}

// write is an operation that needs an API key. Its budget for addresses bounds guesses of keys.
func write(path, summary string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodPost, Path: root + path, Tags: []string{"open311"}, Summary: summary, SkipValidateBody: true},
		Access:    httpapi.Public, Limit: admission.LimitView, MaxBody: upload.MaxBody,
	}
}

// formBody describes the body of an operation that writes. Each operation needs a description of its own: huma writes to it at the
// operation's first request.
func formBody() *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/x-www-form-urlencoded": {Schema: &huma.Schema{Type: huma.TypeObject}}, "multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject}}}}
}

// open reads the form of a request that writes, and its API key. It fails with a 403 for a key that is missing, unknown or revoked. Then
// it has kept nothing of the request.
func (g *Group) open(ctx context.Context, in *Write) (form, apikey.Key, error) {
	f, err := readForm(in.ContentType, in.RawBody)
	if err != nil {
		return form{}, apikey.Key{}, err
	}
	secret := strings.TrimSpace(in.Secret)
	if fields := f.all("api_key"); len(fields) > 0 {
		secret = fields[0]
	}
	if secret == "" {
		return form{}, apikey.Key{}, refused("api_key", "required")
	}
	key, ok, err := g.keys.Find(ctx, secret)
	if err != nil {
		return form{}, apikey.Key{}, err
	}
	if !ok {
		return form{}, apikey.Key{}, refused("api_key", "there is no such key")
	}
	for _, id := range f.all("jurisdiction_id") {
		if err := g.checkJurisdiction(ctx, id); err != nil {
			return form{}, apikey.Key{}, err
		}
	}
	return f, key, nil
}

// spend counts a request against the budgets of a key: that of its requests, and others of the same key. It fails with a 429 where one is
// used up; the others then get back what counts work.
func (g *Group) spend(ctx context.Context, key apikey.Key, others ...admission.LimitClass) error {
	name := admission.SystemKey + key.ID.String()
	all := []admission.Spend{{Class: admission.LimitKey, Key: name, Cost: 1, PerMinute: key.PerMinute}}
	for _, class := range others {
		all = append(all, admission.Spend{Class: class, Key: name, Cost: 1})
	}
	_, budgets, err := g.limiter.Admit(ctx, uuid.Nil, all)
	if err != nil {
		return err
	}
	for _, b := range budgets {
		if !b.Allowed {
			for i, other := range budgets {
				if other.Allowed && all[i].Class.Work() {
					g.limiter.Return(ctx, all[i:i+1])
				}
			}
			return httpapi.TooManyRequests(b.Retry)
		}
	}
	return nil
}

// giveBack gives back what a request spent of a budget that counts work, and made nothing.
func (g *Group) giveBack(ctx context.Context, key apikey.Key, class admission.LimitClass) {
	g.limiter.Return(ctx, []admission.Spend{{Class: class, Key: admission.SystemKey + key.ID.String(), Cost: 1}})
}

package httpapi

import (
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// add adds an operation; register gives it to a huma API. Huma derives schemas from the operation's types. For all operations of a
// function that takes longer than the rest of its start, and most processes answer only a few of them. So an operation that is
// served is given to huma at its first request. It has a huma API and schemas of its own: two can be prepared at once.
func (a *API) add(o Operation, register func(huma.API, huma.Operation)) {
	group := a.group
	if a.described != nil {
		o.document(group)
		a.options[o.OperationID] = o
		register(a.described, o.Operation)
		o.correctResponses(a.described.OpenAPI())
		return
	}
	prepared := sync.OnceValue(func() http.Handler {
		o.document(group)
		config := humaConfig()
		p := &preparation{api: a, operation: o, registry: config.Components.Schemas}
		register(huma.NewAPI(config, p), o.Operation)
		markNullable(p.registry)
		return p.handler
	})
	a.mount(Route{Method: o.Method, Path: o.Path}, o.Rest, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prepared().ServeHTTP(w, r)
	}))
}

// preparation is the huma.Adapter of one operation.
type preparation struct {
	api       *API
	operation Operation
	registry  huma.Registry
	handler   http.Handler // set by Handle
}

// Handle implements huma.Adapter: it puts the contract's rules around the operation.
func (p *preparation) Handle(op *huma.Operation, next func(huma.Context)) {
	a, o := p.api, p.operation
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next(humago.NewContext(op, r, w))
	}))
	h = a.input(o, op, p.registry, h)
	h = a.conditional(o, h)
	h = a.limited(o, h)
	h = a.authenticated(o, h)
	h = a.bounded(o, op, h)
	p.handler = announced(o.Deprecation, h)
}

// ServeHTTP implements huma.Adapter. Nothing calls it: requests reach handler.
func (p *preparation) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// description is the huma.Adapter of operations that are only described.
type description struct{}

// Handle implements huma.Adapter.
func (description) Handle(*huma.Operation, func(huma.Context)) {}

// ServeHTTP implements huma.Adapter.
func (description) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

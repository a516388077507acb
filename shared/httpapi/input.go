package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// defaultMaxBody is how many bytes of a body an operation reads that does not say otherwise.
const defaultMaxBody = 1 << 20

// bounded ends the request body at the operation's limit.
func bounded(o Operation, next http.Handler) http.Handler {
	limit := o.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// inputRules says how the requests of one operation are read.
type inputRules struct {
	operation Operation
	huma      *huma.Operation
	aliases   []alias
	numbers   []string // query parameters that are numbers
	registry  huma.Registry
	schema    *huma.Schema // of the JSON body; nil where it has no member to respell
	keys      bool         // Idempotency-Key counts
}

func (a *API) inputRules(o Operation, op *huma.Operation) inputRules {
	registry := a.OpenAPI().Components.Schemas
	return inputRules{operation: o, huma: op, aliases: sortedAliases(o.Aliases), numbers: numbersOf(op), registry: registry,
		schema: spellable(registry, op, o.LimitMember != ""), keys: o.Creates && a.deps.Keys != nil}
}

// input reads a request once: the query and the body, in the one form that the
// operation declares. The budget of a body member and the record of an
// Idempotency-Key use the same parsed body as the operation itself.
func (a *API) input(o Operation, op *huma.Operation, next http.Handler) http.Handler {
	rules := a.inputRules(o, op)
	next = a.withUpload(rules, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(r.Context()) // a copy, which may get another address and body
		b, err := rules.read(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		if o.LimitMember != "" && !a.admitMember(w, r, o, b.value) {
			return
		}
		if !rules.keyed(r) {
			next.ServeHTTP(w, r)
			return
		}
		a.once(w, r, b, rules.aliases, next)
	})
}

// keyed reports that the answer to r must be recorded under its Idempotency-Key.
func (i inputRules) keyed(r *http.Request) bool {
	return i.keys && r.Header.Get(idempotencyHeader) != ""
}

// read reads the body and the query of r and leaves in r what the operation decodes.
func (i inputRules) read(r *http.Request) (body, error) {
	b, err := i.readBody(r)
	if err != nil {
		return body{}, err
	}
	b.query = r.URL.RawQuery
	query := r.URL.Query()
	renamed := rename(query, i.aliases)
	if err := checkText(r.URL.Path, query); err != nil {
		return body{}, err
	}
	if renamed {
		b.query = query.Encode()
	}
	if err := checkFinite(query, i.numbers); err != nil {
		return body{}, err
	}
	if respelled := respellParameters(i.huma, r, query); renamed || respelled {
		u := *r.URL
		u.RawQuery = query.Encode()
		r.URL = &u
	}
	i.normalize(&b, r)
	return b, nil
}

// normalize gives the members of the body the names and spellings of the schema.
func (i inputRules) normalize(b *body, r *http.Request) {
	if !i.parses(r) || !b.parse() {
		return
	}
	renamed := renameNested(b.value, i.aliases)
	if renamed {
		setJSON(r)
	}
	if respelled := i.schema != nil && Respell(i.registry, i.schema, b.value); renamed || respelled {
		b.encode(r)
	}
}

// parses reports that something needs the parsed body besides the decoder of the operation.
func (i inputRules) parses(r *http.Request) bool {
	media := mediaOf(r)
	if i.operation.Multipart != nil && media == mediaMultipart {
		return false
	}
	return i.operation.LimitMember != "" || i.schema != nil || len(i.aliases) > 0 || i.keyed(r) && media != mediaMultipart
}

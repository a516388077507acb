package open311

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// root is the address of the endpoint, below the host.
const root = "/open311/v2"

// answer is what a handler returns.
type answer struct {
	document
	link    string // the value of the header Link, "" for none
	replay  string // of Idempotent-Replay, "" for none
	encoded []byte // the document in the format of the request; nil where the handler did not need it
}

type output struct {
	ContentType string `header:"Content-Type"`
	Link        string `header:"Link"`
	Replay      string `header:"Idempotent-Replay"`
	Body        []byte
}

// caller is an input that embeds Call.
type caller[I any] interface {
	*I
	call() *Call
}

// read is an operation that anybody may call and whose answer any cache may keep for a minute.
func read(path, summary string) httpapi.Operation {
	return httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: root + path, Tags: []string{"open311"}, Summary: summary},
		Access:    httpapi.Public, Cache: httpapi.Shared, Limit: admission.LimitView,
	}
}

// register adds an operation in every format. A path that ends in a parameter has the format in the parameter's value; any other
// path is two operations. The document of this interface describes them: openapi.json.
func register[I any, P caller[I]](g *Group, a *httpapi.API, o httpapi.Operation, handle func(context.Context, *I) (*answer, error)) {
	paths := []string{o.Path}
	if !strings.HasSuffix(o.Path, "}") {
		paths = nil
		for _, f := range formats() {
			paths = append(paths, o.Path+"."+string(f))
		}
	}
	for _, path := range paths {
		each := o
		each.Path, each.OperationID = path, ""
		each.Responses = responses(o.Method)
		if o.Method == http.MethodPost {
			each.RequestBody = formBody()
		}
		httpapi.Register(a, each, func(ctx context.Context, in *I) (*output, error) {
			c := P(in).call()
			if !c.known {
				return nil, errNoFormat
			}
			if err := g.checkJurisdiction(ctx, c.Jurisdiction); err != nil {
				return nil, err
			}
			found, err := handle(ctx, in)
			if err != nil {
				return nil, err
			}
			if found.encoded == nil {
				found.encoded = found.encode(c.format)
			}
			return &output{c.format.contentType(), found.link, found.replay, found.encoded}, nil
		})
	}
}

// responses are the statuses of an operation. All others have the same form: see writeErrors.
func responses(method string) map[string]*huma.Response {
	media := func() map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"text/xml": {Schema: &huma.Schema{}}, "application/json": {Schema: &huma.Schema{}}}
	}
	header := func(names ...string) map[string]*huma.Param {
		out := make(map[string]*huma.Param)
		for _, name := range names {
			out[name] = &huma.Param{Ref: "#/components/headers/" + name}
		}
		return out
	}
	out := map[string]*huma.Response{"200": {Description: "As the specification says", Content: media(), Headers: header("Link", "Idempotent-Replay")}}
	errs := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if method != http.MethodGet {
		errs = append(errs, http.StatusForbidden)
	}
	for _, status := range errs {
		out[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: media(), Headers: header("Content-Language", "Retry-After")}
	}
	return out
}

package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/problem"
)

// headers are the headers of answers, described once for all operations.
func headers() map[string]*huma.Header {
	text := func(description string, example any) *huma.Header {
		return &huma.Header{Description: description, Schema: &huma.Schema{Type: huma.TypeString}, Example: example}
	}
	number := func(description string, example int) *huma.Header {
		return &huma.Header{Description: description, Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: ptr(0.0)}, Example: example}
	}
	return map[string]*huma.Header{
		"Deprecation":         text("Since when the operation is deprecated, in seconds since 1970 (RFC 9745).", "@1798671600"),
		"Sunset":              text("Until when the operation works at least (RFC 8594).", "Thu, 30 Dec 2027 23:00:00 GMT"),
		"Link":                text("With rel=deprecation: what to use instead.", `</docs/guides/changelog>; rel="deprecation"; type="text/html"`),
		"X-Request-Id":        text("The id of this request in our logs: the one that the request named in the same header, else a new one. Quote it when you report a fault.", "01JDX0M2Q7T4"),
		"RateLimit-Limit":     number("How many requests the tightest budget of the caller holds.", 600),
		"RateLimit-Remaining": number("How many of them are left.", 598),
		"RateLimit-Reset":     number("After how many seconds the budget is full again.", 1),
		"Retry-After":         number("After how many seconds the request may be sent again.", 12),
		"WWW-Authenticate":    text("Bearer: an access token is needed, and the one that was sent, if any, is not valid.", "Bearer"),
		"ETag":                text("Names this state. Send it as If-None-Match with the next read (304 when nothing has changed), or as If-Match with a change (412 when somebody else changed it).", `W/"v7.bq2Jx0GLSm3i"`),
		"Idempotent-Replay":   text("true: this is the first answer to this Idempotency-Key again; nothing was done now.", "true"),
		"Content-Language":    text("The language of the texts: tet, pt or en. The request chooses it by lang, where the operation takes that, or by Accept-Language, else the person's preferred_language counts.", "en"),
		"Accept-Encoding":     text("The Content-Encoding that this operation takes in a request: identity is none (RFC 9110, 12.5.3).", "identity"),
		"Location":            text("The address to go to. Send no Authorization header there: storage refuses it.", "https://media.example.tl/display/0193.jpg"),
	}
}

func refer(all map[string]*huma.Param, names ...string) map[string]*huma.Param {
	if all == nil {
		all = make(map[string]*huma.Param)
	}
	for _, name := range names {
		all[name] = &huma.Param{Ref: "#/components/headers/" + name}
	}
	return all
}

var (
	budgetHeaders      = []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
	deprecationHeaders = []string{"Deprecation", "Sunset", "Link"}
)

// describeHeaders describes the headers of the answers of o that are no problems.
func (o *Operation) describeHeaders(op *huma.Operation) {
	tagged := false // one of the successes has a version
	for _, r := range op.Responses {
		tagged = tagged || r.Headers["ETag"] != nil
	}
	for status, r := range op.Responses {
		success := strings.HasPrefix(status, "2")
		delete(r.Headers, "Content-Type") // the content says it
		names := []string{"X-Request-Id"}
		if o.Limit != admission.LimitNone {
			names = append(names, budgetHeaders...)
		}
		if tagged && success || o.conditional() && (status == "200" || status == "304") {
			names = append(names, "ETag")
		}
		if o.Creates && success {
			names = append(names, "Idempotent-Replay")
		}
		if o.Deprecation != nil {
			names = append(names, deprecationHeaders...)
		}
		for _, name := range []string{"Location", "Content-Language", replayHeader} {
			if r.Headers[name] != nil {
				names = append(names, name)
			}
		}
		r.Headers = refer(r.Headers, names...)
		if ok := op.Responses["200"]; status == "304" && ok != nil && ok.Headers["Set-Cookie"] != nil {
			r.Headers["Set-Cookie"] = ok.Headers["Set-Cookie"]
		}
	}
}

// problemHeaders are the headers of problems with one status.
func problemHeaders(status int, all []*problem.Error) map[string]*huma.Param {
	names := append([]string{"X-Request-Id", "Content-Language"}, budgetHeaders...)
	if status == http.StatusUnauthorized {
		names = append(names, "WWW-Authenticate")
	}
	if status == http.StatusUnsupportedMediaType {
		names = append(names, "Accept-Encoding")
	}
	if slices.ContainsFunc(all, func(e *problem.Error) bool { return e.RetryAfter > 0 }) {
		names = append(names, "Retry-After")
	}
	return refer(nil, names...)
}

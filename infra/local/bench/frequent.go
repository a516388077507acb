package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// frequent returns the most frequent request of an HTTP function, about the i-th sample. That of admin is refused, because the
// data has no administrator.
func (s *testbed) frequent(name string, i int) apiclient.Request {
	p := s.tokens[s.site]
	request := map[string]func(i int) apiclient.Request{
		"admin": func(int) apiclient.Request { return apiclient.Request{Path: "/admin/agencies", Token: p.moderator} },
		"auth":  func(int) apiclient.Request { return login(generate.CitizenEmail(0)) },
		"community": func(i int) apiclient.Request {
			return apiclient.Request{Path: "/reports/" + nth(s.samples.reports, i).String() + "/comments", Token: p.citizen}
		},
		"journeys": func(i int) apiclient.Request {
			return apiclient.Request{Path: "/journeys/" + nth(s.samples.journeys, i).String() + "/nearby", Token: p.citizen}
		},
		"locations": func(int) apiclient.Request {
			return apiclient.Request{Path: "/locations/municipalities", Token: p.citizen}
		},
		"meta": func(int) apiclient.Request { return apiclient.Request{Path: "/meta"} },
		"monitoring": func(int) apiclient.Request {
			return apiclient.Request{Path: "/reports/stats/summary", Token: p.citizen}
		},
		"notifications": func(int) apiclient.Request { return apiclient.Request{Path: "/notifications", Token: p.citizen} },
		"ogc":           func(int) apiclient.Request { return apiclient.Request{Path: "//ogc/collections/reports/items"} },
		"open311":       func(int) apiclient.Request { return apiclient.Request{Path: "//open311/v2/requests.json"} },
		"public": func(int) apiclient.Request {
			return apiclient.Request{Path: "/public/export.csv?severity=low,medium,high,critical"}
		},
		"reports": func(int) apiclient.Request {
			return apiclient.Request{Path: "/reports?page_size=100", Token: p.citizen}
		},
		"staff": func(int) apiclient.Request {
			return apiclient.Request{Path: "/staff/export.csv", Token: p.moderator}
		},
		"users": func(int) apiclient.Request { return apiclient.Request{Path: "/users/me", Token: p.citizen} },
		"web":   func(int) apiclient.Request { return apiclient.Request{Path: "//"} },
	}[name]
	return request(i)
}

// invoke sends a request to a function. It fails for an answer with a status from refused on.
func invoke(ctx context.Context, f *runtimeapi.Function, r apiclient.Request, refused int) error {
	payload, err := event(r)
	if err != nil {
		return err
	}
	raw, err := f.Invoke(ctx, payload)
	if err != nil {
		return err
	}
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if answer.StatusCode >= refused {
		return fmt.Errorf("%s: status %d: %.200s", r, answer.StatusCode, answer.Body)
	}
	return nil
}

// event is a request in the format of API Gateway (payload version 2.0).
func event(r apiclient.Request) ([]byte, error) {
	target, err := url.Parse(r.Target())
	if err != nil {
		return nil, fmt.Errorf("make event: %w", err)
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "$default", RawPath: target.Path, RawQueryString: target.RawQuery,
		Headers: map[string]string{"accept-encoding": "gzip", "host": "localhost"}}
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: target.Path, Protocol: "HTTP/1.1", SourceIP: "192.0.2.1"}
	if r.Token != "" {
		e.Headers["authorization"] = "Bearer " + r.Token
	}
	if r.Body != nil {
		body, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("make event: %w", err)
		}
		e.Body, e.Headers["content-type"] = string(body), "application/json"
	}
	return json.Marshal(e)
}

package verify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/start"
)

// Request is a request to one function. It changes no data.
type Request struct{ Method, Path string }

// Requests has a request for each HTTP function. Its answer is no 404 and no 5xx: the function knows the route. That of meta
// also says whether the database and the queues answer.
func Requests() map[catalog.FunctionName]Request {
	get := func(path string) Request { return Request{http.MethodGet, path} }
	return map[catalog.FunctionName]Request{
		"auth":          get("/api/v1/users/verify-email"), // without a token: refused
		"users":         get("/api/v1/users/me"),
		"admin":         get("/api/v1/admin/agencies"),
		"staff":         get("/api/v1/staff/agencies"),
		"reports":       get("/api/v1/reports"),
		"community":     get("/api/v1/reports/00000000-0000-7000-8000-000000000000/ai-analysis"), // needs a token
		"monitoring":    get("/api/v1/reports/stats/by-agency"),
		"locations":     get("/api/v1/locations/municipalities"),
		"notifications": get("/api/v1/alerts"),
		"journeys":      {http.MethodPost, "/api/v1/journeys"}, // without a token and a body: refused
		"public":        get("/api/v1/public/reports"),
		"open311":       get("/open311/v2/discovery.json"),
		"ogc":           get("/ogc"),
		"web":           get("/"),
		"meta":          get("/health/ready"),
	}
}

// eventFor returns the event that asks a version whether it works, and what checks its answer.
func eventFor(arn string) ([]byte, func([]byte) error, error) {
	function, _, _ := cut(arn)
	name := catalog.FunctionName(function[strings.LastIndexAny(function, "-:")+1:])
	f, ok := catalog.Find(name)
	if !ok {
		return nil, nil, fmt.Errorf("%q is no function of the catalogue", name)
	}
	var event any
	var check func([]byte) error
	switch f.Kind {
	case catalog.HTTP:
		event, check = httpEvent(Requests()[name]), checkHTTP
	case catalog.Queue: // without a message there is nothing to do
		event, check = map[string]any{"Records": []any{}}, checkBatch
	default:
		event, check = events.EventBridgeEvent{DetailType: start.Verification, Detail: json.RawMessage("{}")}, func([]byte) error { return nil }
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, nil, fmt.Errorf("encode event: %w", err)
	}
	return payload, check, nil
}

// httpEvent is a request as API Gateway would send it.
func httpEvent(r Request) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: r.Method + " " + r.Path, RawPath: r.Path,
		Headers: map[string]string{"host": "verify", "accept": "application/json", "x-forwarded-proto": "https"}}
	e.RequestContext.Stage, e.RequestContext.RequestID = "$default", "verify"
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: r.Method, Path: r.Path, Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "verify"}
	return e
}

func checkHTTP(payload []byte) error {
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(payload, &answer); err != nil || answer.StatusCode == 0 {
		return fmt.Errorf("gives no HTTP answer: %.300s", payload)
	}
	if answer.StatusCode == http.StatusNotFound || answer.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("answers %d: %.300s", answer.StatusCode, answer.Body)
	}
	return nil
}

func checkBatch(payload []byte) error {
	var answer events.SQSEventResponse
	if err := json.Unmarshal(payload, &answer); err != nil || len(answer.BatchItemFailures) > 0 {
		return fmt.Errorf("does not answer as a worker: %.300s", payload)
	}
	return nil
}

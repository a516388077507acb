package deployed

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	router "github.com/lafaekstreet/backend/infra/local/gateway"
)

// maxRequest is the most bytes of a request's body that an HTTP API accepts.
const maxRequest = 10 << 20

// gateway is an HTTP API. It chooses the most specific route of the templates, sends an event with payload version 2.0 to its
// function, and answers preflights itself.
type gateway struct {
	deployment *Deployment
	router     *router.Router
	functions  map[string]*function // by route key
	cors       map[string]any
	stack      string
	serial     atomic.Int64
}

func newGateway(d *Deployment) (*gateway, error) {
	g := &gateway{deployment: d, functions: make(map[string]*function)}
	routes, err := d.assembly.Routes()
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, r := range routes {
		keys = append(keys, r.Key)
		if g.functions[r.Key] = d.functions[r.Function.Key()]; g.functions[r.Key] == nil {
			return nil, fmt.Errorf("route %s leads to a function that does not run", r.Key)
		}
	}
	if g.router, err = router.NewRouter(keys); err != nil {
		return nil, err
	}
	for _, api := range d.assembly.OfType("AWS::ApiGatewayV2::Api") {
		g.cors, _ = api.Properties["CorsConfiguration"].(map[string]any)
		g.stack = api.Stack
	}
	return g, nil
}

// ServeHTTP implements http.Handler.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.share(w, r)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		g.preflight(w)
		return
	}
	key, variables, ok := g.router.Find(r.Method, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	event, err := json.Marshal(g.event(r, key, variables, body))
	if err != nil {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	answer, err := g.functions[key].Invoke(r.Context(), event)
	if err != nil {
		g.deployment.log.WarnContext(r.Context(), "function failed", "route", key, "error", err)
		status := http.StatusInternalServerError
		if strings.Contains(err.Error(), "Timedout") {
			status = http.StatusServiceUnavailable
		}
		refuse(w, status, http.StatusText(status))
		return
	}
	g.write(w, answer)
}

func (g *gateway) event(r *http.Request, key string, variables map[string]string, body []byte) events.APIGatewayV2HTTPRequest {
	headers := make(map[string]string, len(r.Header)+2)
	for name, values := range r.Header {
		if name != "Cookie" {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	if given := headers["x-forwarded-for"]; given != "" { // the test chooses the address of its client
		address = strings.TrimSpace(given[strings.LastIndex(given, ",")+1:])
	}
	headers["host"], headers["x-forwarded-for"], headers["x-forwarded-proto"] = r.Host, address, "https"
	path := r.URL.Path // HTTP APIs pass the decoded path
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: path, RawQueryString: r.URL.RawQuery, Headers: headers, PathParameters: variables,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: key, AccountID: account, Stage: "$default", RequestID: fmt.Sprintf("e2e%09d=", g.serial.Add(1)),
			APIID: "api", DomainName: hostname(r.Host), Time: time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: time.Now().UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: address, UserAgent: r.UserAgent(),
			},
		},
	}
	for _, c := range r.Cookies() {
		e.Cookies = append(e.Cookies, c.Name+"="+c.Value)
	}
	if query := r.URL.Query(); len(query) > 0 {
		e.QueryStringParameters = make(map[string]string)
		for name, values := range query {
			e.QueryStringParameters[name] = strings.Join(values, ",")
		}
	}
	if text := strings.HasPrefix(headers["content-type"], "text/") || strings.HasPrefix(headers["content-type"], "application/json"); text && utf8.Valid(body) {
		e.Body = string(body)
	} else if len(body) > 0 {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

func hostname(hostport string) string {
	if u, err := url.Parse("//" + hostport); err == nil {
		return u.Hostname()
	}
	return hostport
}

func (g *gateway) write(w http.ResponseWriter, answer []byte) {
	var out events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &out); err != nil || out.StatusCode == 0 {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	body := []byte(out.Body)
	if out.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(out.Body); err != nil {
			refuse(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, value := range out.Headers {
		if !strings.HasPrefix(strings.ToLower(name), "access-control-") { // the gateway sets these itself when CORS is configured
			w.Header().Set(name, value)
		}
	}
	for _, c := range out.Cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(out.StatusCode)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// share sets the CORS headers of every answer to a browser.
func (g *gateway) share(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	allowed := g.deployment.assembly.Texts(g.stack, g.cors["AllowOrigins"])
	switch {
	case g.cors == nil || origin == "":
		return
	case slices.Contains(allowed, "*"):
		w.Header().Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(allowed, origin):
		w.Header().Set("Access-Control-Allow-Origin", origin)
	default:
		return
	}
	w.Header().Set("Access-Control-Expose-Headers", strings.Join(g.deployment.assembly.Texts(g.stack, g.cors["ExposeHeaders"]), ","))
}

func (g *gateway) preflight(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Methods", strings.Join(g.deployment.assembly.Texts(g.stack, g.cors["AllowMethods"]), ","))
	w.Header().Set("Access-Control-Allow-Headers", strings.Join(g.deployment.assembly.Texts(g.stack, g.cors["AllowHeaders"]), ","))
	w.Header().Set("Access-Control-Max-Age", g.deployment.assembly.Text(g.stack, g.cors["MaxAge"]))
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers in the form of API Gateway.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // a client that is gone needs no answer
}

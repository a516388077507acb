package start_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/start"
)

func TestBehindAnEdgeOnlyItsRequestsAreServed(t *testing.T) {
	t.Parallel()
	const key = "the-key-of-the-edge"
	for name, c := range map[string]struct {
		edge, shown, address string
		direct               bool // by who may call the function itself
		status               int
		client               string
	}{
		"no edge":                             {status: 200, client: "203.0.113.7:0"},
		"no edge, yet a key and an address":   {shown: "x", address: "10.0.0.1", status: 200, client: "203.0.113.7:0"},
		"through it":                          {edge: key, shown: key, address: "198.51.100.1", status: 200, client: "198.51.100.1:0"},
		"an address of six":                   {edge: key, shown: key, address: "2001:db8::1", status: 200, client: "[2001:db8::1]:0"},
		"the same address, written otherwise": {edge: key, shown: key, address: "2001:DB8:0:0::1", status: 200, client: "[2001:db8::1]:0"},
		"four in six":                         {edge: key, shown: key, address: "::ffff:198.51.100.1", status: 200, client: "198.51.100.1:0"},
		"nonsense for an address":             {edge: key, shown: key, address: "<script>", status: 200, client: "203.0.113.7:0"},
		"no address":                          {edge: key, shown: key, status: 200, client: "203.0.113.7:0"},
		"around it, with an address":          {edge: key, address: "198.51.100.1", status: 403},
		"with another key":                    {edge: key, shown: key + "x", address: "198.51.100.1", status: 403},
		"by who may call the function":        {edge: key, direct: true, status: 200, client: "203.0.113.7:0"},
		"by who may, claiming an address":     {edge: key, direct: true, shown: "x", address: "10.0.0.1", status: 200, client: "203.0.113.7:0"},
	} {
		client := ""
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			client = r.RemoteAddr
			if r.Header.Get("X-Origin-Key") != "" && c.edge != "" {
				t.Errorf("%s: the handler sees the key", name)
			}
		})
		e := event("GET", "/x")
		e.RequestContext.APIID = "api"
		if c.direct {
			e.RequestContext.APIID = ""
		}
		e.Headers = map[string]string{"x-forwarded-for": "10.0.0.9, 10.0.0.8, 203.0.113.7"} // a client chooses what it begins with
		if c.address != "" {
			e.Headers["x-viewer-address"] = c.address
		}
		if c.shown != "" {
			e.Headers["x-origin-key"] = c.shown
		}
		out, err := start.NewGateway(h, c.edge).Handle(t.Context(), e)
		if err != nil || out.StatusCode != c.status || client != c.client {
			t.Errorf("%s: %d by %q, %v; want %d by %q", name, out.StatusCode, client, err, c.status, c.client)
		}
		if c.status == 403 && !isProblem(out) {
			t.Errorf("%s: refused by %v %s", name, out.Headers, out.Body)
		}
	}
}

func isProblem(out events.APIGatewayV2HTTPResponse) bool {
	var p struct{ Code string }
	return json.Unmarshal([]byte(out.Body), &p) == nil && p.Code == "forbidden"
}

// Links in answers begin with the host that the client asked the distribution for. Nobody else can set it.
func TestBehindAnEdgeTheHostIsTheClients(t *testing.T) {
	t.Parallel()
	const key = "the-key-of-the-edge"
	for name, c := range map[string]struct{ edge, shown, host, want string }{
		"through it":                 {key, key, "d111.cloudfront.net", "d111.cloudfront.net"},
		"of the domain":              {key, key, "ls.example.tl", "ls.example.tl"},
		"of an earlier distribution": {key, key, "", "api.example.org"},
		"nonsense":                   {key, key, "a.example/<script>", "api.example.org"},
		"no edge":                    {"", "", "evil.example", "api.example.org"},
	} {
		got := ""
		e := event("GET", "/x")
		e.RequestContext.APIID = "api"
		if c.host != "" {
			e.Headers["x-viewer-host"] = c.host
		}
		if c.shown != "" {
			e.Headers["x-origin-key"] = c.shown
		}
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Host })
		if _, err := start.NewGateway(h, c.edge).Handle(t.Context(), e); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

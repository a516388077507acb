package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/start"
)

// Without the setting there is no distribution. With it, functions refuse requests that did not come through it.
func TestEdge(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"AWS::CloudFront::Distribution", "AWS::WAFv2::WebACL"}
	if n := len(all["external"].OfType(kinds...)); n != 0 {
		t.Errorf("%d resources of a distribution that is not set", n)
	}
	for _, f := range all["external"].Functions() {
		if f.Env["EDGE_KEY_SECRET_ARN"] != "" {
			t.Errorf("%s expects a key that nothing sends", f.Name)
		}
	}

	w := all["managed"]
	walls, distributions := w.OfType("AWS::WAFv2::WebACL"), w.OfType("AWS::CloudFront::Distribution")
	if len(walls) != 1 || len(distributions) != 1 {
		t.Fatalf("%d firewalls, %d distributions", len(walls), len(distributions))
	}
	if raw, _ := json.Marshal(walls[0].Properties["Rules"]); !strings.Contains(string(raw), `"RateBasedStatement":{"AggregateKeyType":"IP","EvaluationWindowSec":300,"Limit":3000}`) {
		t.Errorf("rules: %s", raw)
	}
	d := distributions[0]
	config, _ := d.Properties["DistributionConfig"].(map[string]any)
	if wall, ok := w.Find(d.Stack, config["WebACLId"]); !ok || wall.ID != walls[0].ID {
		t.Errorf("the distribution has another firewall: %v", config["WebACLId"])
	}
	if !slices.Equal(w.Texts(d.Stack, config["Aliases"]), []string{"api.example.org"}) || len(w.OfType("AWS::ApiGatewayV2::DomainName")) != 0 {
		t.Errorf("the domain leads to %v, and to %d APIs", config["Aliases"], len(w.OfType("AWS::ApiGatewayV2::DomainName")))
	}
	origins, _ := config["Origins"].([]any)
	origin, _ := first(origins).(map[string]any)
	headers, _ := origin["OriginCustomHeaders"].([]any)
	header, _ := first(headers).(map[string]any)
	value := w.Text(d.Stack, header["HeaderValue"])
	// CloudFront refuses a distribution that adds one of these, from its documentation ("Custom headers that CloudFront can't add").
	if name := fmt.Sprint(header["HeaderName"]); strings.HasPrefix(name, "x-edge-") || strings.HasPrefix(name, "x-amz-") {
		t.Errorf("CloudFront does not add %s", name)
	}
	if header["HeaderName"] != "x-origin-key" || value != "{{resolve:secretsmanager:lafaekstreet-test-token-edge}}" {
		t.Errorf("it sends %v: %s", header["HeaderName"], value)
	}
	const arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:lafaekstreet-test-token-edge"
	for _, o := range operations() {
		for _, f := range w.Functions() {
			if f.Name == w.settings.name(string(o.function)) && (f.Env["EDGE_KEY_SECRET_ARN"] != arn || !f.Allows("secretsmanager:GetSecretValue", arn+"-abcdef")) {
				t.Errorf("%s can be called without the distribution: %q, want %q", o.function, f.Env["EDGE_KEY_SECRET_ARN"], arn)
			}
		}
	}
	behaviour, _ := config["DefaultCacheBehavior"].(map[string]any)
	if behaviour["CachePolicyId"] != cachingDisabled || behaviour["ViewerProtocolPolicy"] != "redirect-to-https" {
		t.Errorf("answers for one person are cached for others: %v", behaviour)
	}
	functions := w.OfType("AWS::CloudFront::Function")
	associations, _ := behaviour["FunctionAssociations"].([]any)
	association, _ := first(associations).(map[string]any)
	if len(functions) != 1 || association["EventType"] != "viewer-request" {
		t.Errorf("the API does not get to know the host of the client: %v", behaviour)
	}
	cached := map[string]string{}
	behaviours, _ := config["CacheBehaviors"].([]any)
	for _, one := range behaviours {
		b, _ := one.(map[string]any)
		cached[fmt.Sprint(b["PathPattern"])] = fmt.Sprint(b["CachePolicyId"])
		associations, _ := b["FunctionAssociations"].([]any)
		policy, ok := w.Find(d.Stack, b["OriginRequestPolicyId"])
		if raw, _ := json.Marshal(policy.Properties); len(associations) != 1 || !ok || !strings.Contains(string(raw), `"Headers":["x-viewer-host","x-viewer-address"]`) {
			t.Errorf("%v does not tell the API who asks: %v, %s", b["PathPattern"], associations, raw)
		}
		if b["AllowedMethods"] != nil || b["ViewerProtocolPolicy"] != "redirect-to-https" {
			t.Errorf("%v takes more than reads: %v", b["PathPattern"], b)
		}
	}
	// The policy keeps an answer for as long as its Cache-Control says.
	if len(cached) != 3 || cached["/api/v1/public/reports/*/images/*"] != cachingOptimized || cached["/log/*"] != cachingOptimized || cached["/assets/*"] != cachingOptimized {
		t.Errorf("cached: %v", cached)
	}
}

// The function of the distribution replaces what a client claims, and the functions behind it take its word.
func TestTheDistributionNamesTheClient(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"198.51.100.1": "198.51.100.1:0", "2001:db8::1": "[2001:db8::1]:0"} {
		raw, err := json.Marshal(map[string]any{"viewer": map[string]any{"ip": address}, "request": map[string]any{"headers": map[string]any{
			"host": map[string]any{"value": "ls.example.tl"}, "x-viewer-address": map[string]any{"value": "10.0.0.1"}, "x-viewer-host": map[string]any{"value": "evil.example"}}}})
		if err != nil {
			t.Fatal(err)
		}
		script := viewerFunction + "\nconsole.log(JSON.stringify(handler(JSON.parse(process.argv[1])).headers))"
		out, err := exec.CommandContext(t.Context(), "node", "-e", script, string(raw)).Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var sent map[string]struct{ Value string }
		if err := json.Unmarshal(out, &sent); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		e := events.APIGatewayV2HTTPRequest{RawPath: "/x", Headers: map[string]string{"x-origin-key": "key"}}
		for name, h := range sent {
			e.Headers[name] = h.Value
		}
		e.RequestContext.APIID, e.RequestContext.DomainName = "api", "api.example.org"
		e.RequestContext.HTTP.Method, e.RequestContext.HTTP.SourceIP = http.MethodGet, "203.0.113.7"
		client, host := "", ""
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { client, host = r.RemoteAddr, r.Host })
		if _, err := start.NewGateway(h, "key").Handle(t.Context(), e); err != nil || client != want || host != "ls.example.tl" {
			t.Errorf("%s is %q, who asked for %q, %v", address, client, host, err)
		}
	}
}

// The domain leads to the distribution by IPv4 and by IPv6.
func TestTheDomainLeadsToTheDistribution(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	w := all["managed"]
	var kinds []string
	for _, r := range w.OfType("AWS::Route53::RecordSet") {
		target, _ := r.Properties["AliasTarget"].(map[string]any)
		if d, ok := w.Find(r.Stack, target["DNSName"]); !ok || d.Type != "AWS::CloudFront::Distribution" {
			t.Errorf("%s leads to %v", r.ID, target)
		}
		kinds = append(kinds, fmt.Sprint(r.Properties["Type"]))
	}
	if slices.Sort(kinds); !slices.Equal(kinds, []string{"A", "AAAA"}) {
		t.Errorf("records: %v", kinds)
	}
}

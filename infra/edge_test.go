package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestEdge looks at both states: nothing of it by default, and with it no way around.
func TestEdge(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"AWS::CloudFront::Distribution", "AWS::WAFv2::WebACL"}
	if n := len(all["external"].OfType(kinds...)); n != 0 {
		t.Errorf("%d parts of an edge nobody asked for", n)
	}
	for _, f := range all["external"].Functions() {
		if f.Env["EDGE_KEY_SECRET_ARN"] != "" {
			t.Errorf("%s waits for a key that nobody shows", f.Name)
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
		t.Errorf("the firewall stands elsewhere: %v", config["WebACLId"])
	}
	if !slices.Equal(w.Texts(d.Stack, config["Aliases"]), []string{"api.example.org"}) || len(w.OfType("AWS::ApiGatewayV2::DomainName")) != 0 {
		t.Errorf("the domain leads to %v, and to %d APIs", config["Aliases"], len(w.OfType("AWS::ApiGatewayV2::DomainName")))
	}
	origins, _ := config["Origins"].([]any)
	origin, _ := first(origins).(map[string]any)
	headers, _ := origin["OriginCustomHeaders"].([]any)
	header, _ := first(headers).(map[string]any)
	value := w.Text(d.Stack, header["HeaderValue"])
	arn, shown := strings.CutPrefix(value, "{{resolve:secretsmanager:")
	if header["HeaderName"] != "x-edge-key" || !shown {
		t.Errorf("it shows %v: %s", header["HeaderName"], value)
	}
	arn = strings.TrimSuffix(arn, "}}")
	for _, o := range operations() {
		for _, f := range w.Functions() {
			if f.Name == w.settings.name(string(o.function)) && (f.Env["EDGE_KEY_SECRET_ARN"] != arn || !f.Allows("secretsmanager:GetSecretValue", arn)) {
				t.Errorf("%s may be called around the edge: %q, want %q", o.function, f.Env["EDGE_KEY_SECRET_ARN"], arn)
			}
		}
	}
	behaviour, _ := config["DefaultCacheBehavior"].(map[string]any)
	if behaviour["CachePolicyId"] != cachingDisabled || behaviour["ViewerProtocolPolicy"] != "redirect-to-https" {
		t.Errorf("what one person may see is kept for others: %v", behaviour)
	}
}

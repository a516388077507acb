package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/assembly"
)

// managedNetwork is a synthesis of the managed profile, its NAT instance and the launch template of that.
func managedNetwork(t *testing.T, all func() (map[string]*written, error)) (*written, assembly.Named, assembly.Named) {
	t.Helper()
	profiles, err := all()
	if err != nil {
		t.Fatal(err)
	}
	w := profiles["managed"]
	instances := w.OfType("AWS::EC2::Instance")
	if len(instances) != 1 {
		t.Fatalf("%d instances", len(instances))
	}
	named, _ := instances[0].Properties["LaunchTemplate"].(map[string]any)
	template, ok := w.Find(instances[0].Stack, named["LaunchTemplateId"])
	if !ok {
		t.Fatal("the NAT has no launch template")
	}
	return w, instances[0], template
}

// routesOf are the routes of the table of a subnet, by destination.
func routesOf(w *written, stack string, subnet any) map[string]assembly.Named {
	out := make(map[string]assembly.Named)
	for _, a := range w.OfType("AWS::EC2::SubnetRouteTableAssociation") {
		if w.Text(stack, a.Properties["SubnetId"]) != w.Text(stack, subnet) {
			continue
		}
		for _, r := range w.OfType("AWS::EC2::Route") {
			if w.Text(stack, r.Properties["RouteTableId"]) == w.Text(stack, a.Properties["RouteTableId"]) {
				destination, _ := r.Properties["DestinationCidrBlock"].(string)
				out[destination] = r
			}
		}
	}
	return out
}

// The NAT has a public address in a subnet that leads to the internet, and the subnets of the functions lead to the NAT.
func TestTheNATReachesTheInternet(t *testing.T) {
	w, nat, _ := managedNetwork(t, synthesized)
	interfaces, _ := nat.Properties["NetworkInterfaces"].([]any)
	first, _ := first(interfaces).(map[string]any)
	if len(interfaces) != 1 || first["AssociatePublicIpAddress"] != true {
		t.Errorf("the NAT has no public address: %v", interfaces)
	}
	if nat.Properties["SourceDestCheck"] != false {
		t.Error("the NAT drops what is not addressed to it")
	}
	out := routesOf(w, nat.Stack, first["SubnetId"])["0.0.0.0/0"]
	if gateway, ok := w.Find(nat.Stack, out.Properties["GatewayId"]); !ok || gateway.Type != "AWS::EC2::InternetGateway" {
		t.Errorf("the subnet of the NAT leads to %v", out.Properties)
	}
	subnets := 0
	for _, s := range w.OfType("AWS::EC2::Subnet") {
		if strings.Contains(s.ID, subnetFunctions) {
			subnets++
			out := routesOf(w, s.Stack, map[string]any{"Ref": s.ID})["0.0.0.0/0"]
			if to, ok := w.Find(s.Stack, out.Properties["InstanceId"]); !ok || to.ID != nat.ID {
				t.Errorf("%s leads to %v", s.ID, out.Properties)
			}
		}
	}
	if subnets != 2 {
		t.Errorf("%d subnets of functions", subnets)
	}
}

// A deploy does not replace the NAT because AWS has a newer image: the template has no parameter that CloudFormation looks up.
func TestTheImageOfTheNATIsPinned(t *testing.T) {
	w, nat, template := managedNetwork(t, synthesized)
	data, _ := template.Properties["LaunchTemplateData"].(map[string]any)
	if nat.Properties["ImageId"] != nil || data["ImageId"] != "resolve:ssm:"+newestImage {
		t.Errorf("image %v, in the launch template %v", nat.Properties["ImageId"], data["ImageId"])
	}
	if text := string(w.files[nat.Stack+".template.json"]); strings.Contains(text, "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>") {
		t.Error("CloudFormation looks the image up in each deploy")
	}
	if _, _, template := managedNetwork(t, unprotected); !strings.Contains(properties(t, template), `"ami-0123456789abcdef0"`) {
		t.Error("the setting nat_image is not used")
	}
}

// The instance sets itself up: the rules are accepted, and the shell reads the scripts.
func TestTheNATSetsItselfUp(t *testing.T) {
	w, nat, template := managedNetwork(t, synthesized)
	data, _ := nat.Properties["UserData"].(map[string]any)
	if w.Text(nat.Stack, data["Fn::Base64"]) != natUserData {
		t.Error("the instance does not get nat.sh")
	}
	if description, _ := template.Properties["VersionDescription"].(string); !strings.HasPrefix(description, "nat.sh ") {
		t.Errorf("a change of nat.sh does not make a new instance: %q", description)
	}
	_, script, _ := strings.Cut(natUserData, "<<'SCRIPT'\n")
	script, _, _ = strings.Cut(script, "\nSCRIPT\n")
	for name, text := range map[string]string{"nat.sh": natUserData, "nat": script} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", path).CombinedOutput(); err != nil || text == "" {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
	for _, part := range []string{"swapon /swapfile", "masquerade", "net.ipv4.ip_forward=1", "Restart=on-failure", "StartLimitIntervalSec=0", "systemctl enable nat.service"} {
		if !strings.Contains(natUserData, part) {
			t.Errorf("nat.sh has no %q", part)
		}
	}
}

// Only the network itself sends to the NAT.
func TestNobodyReachesTheNAT(t *testing.T) {
	w, _, _ := managedNetwork(t, synthesized)
	groups := 0
	for _, g := range w.OfType("AWS::EC2::SecurityGroup") {
		if !strings.Contains(g.ID, "NatSecurityGroup") {
			continue
		}
		groups++
		ingress, _ := g.Properties["SecurityGroupIngress"].([]any)
		for _, raw := range ingress {
			rule, _ := raw.(map[string]any)
			cidr, _ := rule["CidrIp"].(map[string]any)
			att, _ := cidr["Fn::GetAtt"].([]any)
			if vpc, ok := w.Find(g.Stack, map[string]any{"Fn::GetAtt": att}); !ok || vpc.Type != "AWS::EC2::VPC" || att[1] != "CidrBlock" {
				t.Errorf("%v may send to the NAT", rule)
			}
		}
		if len(ingress) != 1 {
			t.Errorf("%d rules", len(ingress))
		}
	}
	if groups != 1 {
		t.Errorf("%d groups", groups)
	}
}

// Zones by setting, else the first two of the account.
func TestZones(t *testing.T) {
	for name, c := range map[string]struct {
		all  func() (map[string]*written, error)
		want string
	}{"default": {synthesized, "us-east-1a us-east-1b"}, "by setting": {unprotected, "us-east-1c us-east-1d"}} {
		w, _, _ := managedNetwork(t, c.all)
		zones := make(map[string]int)
		for _, s := range w.OfType("AWS::EC2::Subnet") {
			zones[w.Text(s.Stack, s.Properties["AvailabilityZone"])]++
		}
		for zone := range strings.FieldsSeq(c.want) {
			if zones[zone] != 3 || len(zones) != 2 {
				t.Errorf("%s: subnets in %v", name, zones)
			}
		}
	}
}

// AWS asks for both ports of a serverless Valkey: 6379 for writes, 6380 for reads.
func TestTheCacheIsReachedByBothPorts(t *testing.T) {
	w, _, _ := managedNetwork(t, synthesized)
	for _, r := range w.OfType("AWS::EC2::SecurityGroupIngress") {
		if strings.HasPrefix(r.ID, "cacheaccess") {
			if r.Properties["FromPort"] != 6379.0 || r.Properties["ToPort"] != 6380.0 {
				t.Errorf("ports %v to %v", r.Properties["FromPort"], r.Properties["ToPort"])
			}
			return
		}
	}
	t.Error("the cache lets nobody in")
}

// properties are the properties of a resource as JSON.
func properties(t *testing.T, r assembly.Named) string {
	t.Helper()
	raw, err := json.Marshal(r.Properties)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestSettingsOfNetworkAndModels(t *testing.T) {
	t.Parallel()
	const good = `"profile":"external","database_secret":"x"`
	for raw, want := range map[string]string{
		`"zones":["us-east-1a"]`:                                   "at least two",
		`"zones":["use1-az1","use1-az2"]`:                          "has a name such as us-east-1a",
		`"zones":["us-east-1a","us-east-1a"]`:                      "repeated",
		`"region":"eu-west-1","zones":["eu-west-1a","us-east-1a"]`: "is not in eu-west-1",
		`"zones":["us-east-1a","us-east-1c"]`:                      "",
		`"nat_image":"newest"`:                                     "nat_image",
		`"nat_image":"ami-0123456789abcdef0"`:                      "",
		`"ai_model":"mars.amazon.nova-lite-v1:0"`:                  "ai_model",
		`"ai_model":"eu.amazon.nova-2-lite-v1:0"`:                  "",
		`"embedding_model":"nova"`:                                 "embedding_model",
	} {
		_, err := readSettings([]byte(`{` + good + `,` + raw + `}`))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", raw, err, want)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/deployed"
)

// mutation is a mistake in the templates that must show when they are deployed.
type mutation struct {
	// make makes the mistake; it reports whether there was a place for it.
	make func(r *resource) bool
	// One of these is set. deploying is part of the error of the deploy. unreached is part of the report of each operation
	// that does not reach its function. While the story runs, refused is part of what a policy refuses, and dead is the queue that
	// gets dead letters.
	deploying, unreached, refused, dead string
}

// resource is one of the templates.
type resource struct {
	stack, id  string
	kind       string
	properties map[string]any
	raw        string // as JSON
	remove     bool
}

// mutations are the mistakes, by what was forgotten or confused.
var mutations = map[string]mutation{
	"a route is missing": {make: func(r *resource) bool {
		r.remove = r.kind == "AWS::ApiGatewayV2::Route" && r.properties["RouteKey"] == "ANY /api/v1/reports"
		return r.remove
	}, unreached: " /api/v1/reports: 404"},
	"a route leads to another function": {make: func(r *resource) bool {
		if r.kind != "AWS::ApiGatewayV2::Route" || r.properties["RouteKey"] != "ANY /api/v1/users/{proxy+}" {
			return false
		}
		r.properties["Target"] = map[string]any{"Fn::Join": []any{"", []any{"integrations/", map[string]any{"Ref": "meta"}}}}
		return true
	}, unreached: " /api/v1/users/"},
	"the API may not call a function": {make: func(r *resource) bool {
		r.remove = r.kind == "AWS::Lambda::Permission" && r.id == "reportspermission"
		return r.remove
	}, deploying: "API Gateway may not call reports"},
	"a worker polls another's queue": {make: func(r *resource) bool {
		return r.kind == "AWS::Lambda::EventSourceMapping" && r.id == "validatesource" && r.replace("ExportsOutputFnGetAttvalidate", "ExportsOutputFnGetAttgeocode", "EventSourceArn")
	}, deploying: "validate may not consume its queue"},
	"S3 tells another queue": {make: func(r *resource) bool {
		return r.kind == "AWS::S3::Bucket" && r.replace("ExportsOutputFnGetAttimages", "ExportsOutputFnGetAttgeocode", "NotificationConfiguration")
	}, deploying: "S3 may not send to"},
	"a function sends to another queue": {make: func(r *resource) bool {
		return r.function("reports") && r.variable("QUEUE_URLS", "anchor=", "other=") && r.variable("QUEUE_URLS", "notify=", "anchor=") &&
			r.variable("QUEUE_URLS", "other=", "notify=")
	}, dead: "notify"},
	"a function may not send":    {make: func(r *resource) bool { return r.forbid("reports", "Send") }, refused: "reports: is not authorized to perform: sqs:SendMessage"},
	"a worker may not consume":   {make: func(r *resource) bool { return r.forbid("notify", "Consume") }, deploying: "notify may not consume its queue"},
	"pictures may not be stored": {make: func(r *resource) bool { return r.forbid("reports", "MediaOriginals") }, refused: "reports: is not authorized to perform: s3:PutObject"},
	"pictures may not be read":   {make: func(r *resource) bool { return r.forbid("images", "MediaOriginals") }, refused: "images: is not authorized to perform: s3:GetObject"},
	"the ledger key may not sign": {make: func(r *resource) bool { return r.forbid("anchor", "SignLedgerMessages") },
		refused: "anchor: is not authorized to perform: kms:"},
	"the models may not be called": {make: func(r *resource) bool { return r.forbid("validate", "CallModels") }, refused: "validate: is not authorized to perform: bedrock:InvokeModel"},
	"secrets may not be read":      {make: func(r *resource) bool { return r.forbid("auth", "ReadSecrets") }, deploying: "auth:1: fails"},
	"a variable is missing":        {make: func(r *resource) bool { return r.function("public") && r.unset("MEDIA_BUCKET") }, deploying: "public:1: fails"},
	"keys may not be written":      {make: func(r *resource) bool { return r.forbid("keys", "WriteKeys") }, deploying: "secretsmanager:PutSecretValue"},
	"versions may not be asked":    {make: func(r *resource) bool { return r.forbid("verify", "AskVersions") }, deploying: "lambda:InvokeFunction"},
}

// replace replaces a text in a property.
func (r *resource) replace(old, by, property string) bool {
	raw, err := json.Marshal(r.properties[property])
	if err != nil || !strings.Contains(string(raw), old) {
		return false
	}
	// The name of an export ends in a hash: the export of the other queue is found by the beginning of its name.
	var text = string(raw)
	start := strings.Index(text, old)
	end := start + strings.IndexByte(text[start:], '"')
	name := exportNamed(r.raw, by)
	if name == "" {
		return false
	}
	var value any
	if err := json.Unmarshal([]byte(text[:start]+name+text[end:]), &value); err != nil {
		return false
	}
	r.properties[property] = value
	return true
}

// exportNamed returns the export whose name has a beginning.
func exportNamed(text, begin string) string {
	start := strings.Index(text, begin)
	if start < 0 {
		return ""
	}
	return text[start : start+strings.IndexByte(text[start:], '"')]
}

func (r *resource) function(name string) bool {
	return r.kind == "AWS::Lambda::Function" && strings.HasPrefix(r.id, name) && r.id[len(name):] != "" && len(r.id) == len(name)+8
}

func (r *resource) variables() map[string]any {
	env, _ := r.properties["Environment"].(map[string]any)
	variables, _ := env["Variables"].(map[string]any)
	return variables
}

func (r *resource) unset(name string) bool {
	_, ok := r.variables()[name]
	delete(r.variables(), name)
	return ok
}

// variable replaces a part of a variable's value.
func (r *resource) variable(name, old, by string) bool {
	raw, err := json.Marshal(r.variables()[name])
	if err != nil || !strings.Contains(string(raw), old) {
		return false
	}
	var value any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), old, by)), &value); err != nil {
		return false
	}
	r.variables()[name] = value
	return true
}

// forbid removes a statement from the policy of a function.
func (r *resource) forbid(function, sid string) bool {
	if r.kind != "AWS::IAM::Policy" || !strings.HasPrefix(r.id, function+"policy") {
		return false
	}
	document, _ := r.properties["PolicyDocument"].(map[string]any)
	statements, _ := document["Statement"].([]any)
	left := slices.DeleteFunc(statements, func(s any) bool { m, _ := s.(map[string]any); return m["Sid"] == sid })
	document["Statement"] = left
	return len(left) < len(statements)
}

// mutated returns w with one mistake.
func mutated(t *testing.T, w *written, m mutation) *written {
	t.Helper()
	everything := ""
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		everything += string(w.files[name])
	}
	files := maps.Clone(w.files)
	made := 0
	for name, raw := range w.files {
		if stack, ok := strings.CutSuffix(name, ".template.json"); ok {
			var n int
			files[name], n = mistaken(t, stack, raw, everything, m)
			made += n
		}
	}
	if made != 1 {
		t.Fatalf("the mistake was made %d times", made)
	}
	return w.withFiles(t, files)
}

func mistaken(t *testing.T, stack string, raw []byte, everything string, m mutation) ([]byte, int) {
	t.Helper()
	var template map[string]any
	if err := json.Unmarshal(raw, &template); err != nil {
		t.Fatal(err)
	}
	resources, _ := template["Resources"].(map[string]any)
	made := 0
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		body, _ := resources[id].(map[string]any)
		properties, _ := body["Properties"].(map[string]any)
		kind, _ := body["Type"].(string)
		r := &resource{stack: stack, id: id, kind: kind, properties: properties, raw: everything}
		if m.make(r) {
			made++
		}
		if r.remove {
			delete(resources, id)
		}
	}
	out, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	return out, made
}

// deploymentsAtOnce is how many deployments run at the same time. Each has up to 40 processes with 650 MB and 16 connections to the
// database, and keeps a processor busy.
const deploymentsAtOnce = 2

// TestMistakesAreSeen makes a deployment with each mistake, and checks that TestDeployed would fail for it.
func TestMistakesAreSeen(t *testing.T) {
	w := deployable(t)
	places := make(chan struct{}, deploymentsAtOnce)
	for name, m := range mutations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			places <- struct{}{}
			t.Cleanup(func() { <-places })
			m.check(t, mutated(t, w, m))
		})
	}
}

// check deploys templates with the mistake, and fails if it does not show.
func (m mutation) check(t *testing.T, w *written) {
	t.Helper()
	s, err := deploy(t, w, func(o *deployed.Options) {
		if m.deploying != "" {
			o.Endpoints["VERIFY_PATIENCE"] = "0s" // a version that fails stays broken
		}
	})
	switch {
	case m.deploying != "":
		if err == nil || !strings.Contains(err.Error(), m.deploying) {
			t.Errorf("deployed: %v, want %q", err, m.deploying)
		}
	case err != nil:
		t.Errorf("deploy: %v", err)
	case m.unreached != "":
		faults := s.unreached(t)
		other := slices.ContainsFunc(faults, func(fault string) bool { return !strings.Contains(fault, m.unreached) })
		if len(faults) == 0 || other {
			t.Errorf("unreached: %q, want %q", faults, m.unreached)
		}
	default:
		s.waitFor(t, m)
	}
}

// waitFor runs the story until the mistake shows.
func (s *site) waitFor(t *testing.T, m mutation) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan []byte, 1)
	go func() {
		out, _ := s.tell(ctx) // it fails, because of the mistake
		told <- out
	}()
	defer func() { cancel(); <-told }()
	shows := func() bool {
		if m.dead != "" {
			return s.dead(m.dead) > 0
		}
		return slices.ContainsFunc(s.Refused(), func(r string) bool { return strings.HasPrefix(r, m.refused) })
	}
	for tick := time.NewTicker(100 * time.Millisecond); !shows(); {
		select {
		case <-tick.C:
		case out := <-told:
			told <- out
			if !shows() {
				t.Errorf("nothing shows; refused were %q:\n%s", s.Refused(), out)
			}
			return
		}
	}
}

package assembly

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Function is a Lambda function with its configuration and permissions.
type Function struct {
	Named
	Name    string
	Env     map[string]string
	Memory  int
	Timeout int // seconds
	Policy  []Statement
}

// Statement is one permission, with values as they are after a deploy.
type Statement struct {
	Sid        string
	Effect     string
	Actions    []string
	Resources  []string
	Conditions any
}

// Functions lists all functions in a stable order.
func (a *Assembly) Functions() []Function {
	policies := a.policies()
	var out []Function
	for _, n := range a.OfType("AWS::Lambda::Function") {
		f := Function{Named: n, Name: a.Text(n.Stack, n.Properties["FunctionName"]), Env: make(map[string]string)}
		if env, ok := n.Properties["Environment"].(map[string]any); ok {
			variables, _ := env["Variables"].(map[string]any)
			for name, v := range variables {
				f.Env[name] = a.stored(a.Text(n.Stack, v))
			}
		}
		f.Memory, f.Timeout = number(n.Properties["MemorySize"]), number(n.Properties["Timeout"])
		if role, ok := a.Find(n.Stack, n.Properties["Role"]); ok {
			arn := a.Text(role.Stack, map[string]any{"Fn::GetAtt": []any{role.ID, "Arn"}})
			f.Policy = append(a.deniedByKeys(arn), policies[role.Key()]...)
		}
		out = append(out, f)
	}
	return out
}

// policies returns the statements of each role, by the key of the role.
func (a *Assembly) policies() map[string][]Statement {
	out := make(map[string][]Statement)
	for _, p := range a.OfType("AWS::IAM::Policy") {
		statements := a.statements(p.Stack, p.Properties["PolicyDocument"])
		roles, _ := p.Properties["Roles"].([]any)
		for _, r := range roles {
			if role, ok := a.Find(p.Stack, r); ok {
				out[role.Key()] = append(out[role.Key()], statements...)
			}
		}
	}
	for _, r := range a.OfType("AWS::IAM::Role") {
		inline, _ := r.Properties["Policies"].([]any)
		for _, p := range inline {
			if m, ok := p.(map[string]any); ok {
				out[r.Key()] = append(out[r.Key()], a.statements(r.Stack, m["PolicyDocument"])...)
			}
		}
		managed, _ := r.Properties["ManagedPolicyArns"].([]any)
		for _, m := range managed {
			out[r.Key()] = append(out[r.Key()], Statement{Sid: "managed " + a.Text(r.Stack, m), Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}})
		}
	}
	return out
}

// deniedByKeys returns what the policies of keys deny to all but some other role. role is an ARN.
func (a *Assembly) deniedByKeys(role string) []Statement {
	var out []Statement
	for _, k := range a.OfType("AWS::KMS::Key") {
		for _, s := range a.statements(k.Stack, k.Properties["KeyPolicy"]) {
			conditions, _ := s.Conditions.(map[string]any)
			but, _ := conditions["ArnNotEquals"].(map[string]any)
			if s.Effect == "Deny" && a.Text(k.Stack, but["aws:PrincipalArn"]) != role {
				s.Resources = []string{a.Text(k.Stack, map[string]any{"Fn::GetAtt": []any{k.ID, "Arn"}})}
				out = append(out, s)
			}
		}
	}
	return out
}

func (a *Assembly) statements(stack string, document any) []Statement {
	doc, _ := document.(map[string]any)
	list, _ := doc["Statement"].([]any)
	out := make([]Statement, 0, len(list))
	for _, e := range list {
		m, _ := e.(map[string]any)
		sid, _ := m["Sid"].(string)
		out = append(out, Statement{
			Sid: sid, Effect: a.Text(stack, m["Effect"]), Conditions: m["Condition"],
			Actions: a.Texts(stack, m["Action"]), Resources: a.Texts(stack, m["Resource"]),
		})
	}
	return out
}

// Allows reports whether the policy of the function allows action on resource.
func (f Function) Allows(action, resource string) bool {
	allowed := false
	for _, s := range f.Policy {
		if !slices.ContainsFunc(s.Actions, func(p string) bool { return matches(strings.ToLower(p), strings.ToLower(action)) }) ||
			!slices.ContainsFunc(s.Resources, func(p string) bool { return matches(p, resource) }) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// matches reports whether text matches a pattern of IAM: * stands for any text, ? for any single character.
func matches(pattern, text string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := len(text); i >= 0; i-- {
				if matches(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// Route is a route of the HTTP API with its function.
type Route struct {
	Key      string // "GET /reports/{id}", "GET /a/{proxy+}" or "$default"
	Function Named
}

// Routes lists the routes of the HTTP API. A route that does not lead to a function that API Gateway may call is an error.
func (a *Assembly) Routes() ([]Route, error) {
	var out []Route
	for _, r := range a.OfType("AWS::ApiGatewayV2::Route") {
		key := a.Text(r.Stack, r.Properties["RouteKey"])
		f, err := a.target(r)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", key, err)
		}
		out = append(out, Route{key, f})
	}
	return out, nil
}

// target follows a route to its integration, its alias and its function. It fails if API Gateway may not call the function.
func (a *Assembly) target(route Named) (Named, error) {
	join, _ := route.Properties["Target"].(map[string]any)
	args, _ := join["Fn::Join"].([]any)
	if len(args) != 2 {
		return Named{}, fmt.Errorf("no target")
	}
	parts, _ := args[1].([]any)
	if len(parts) != 2 || parts[0] != "integrations/" {
		return Named{}, fmt.Errorf("target %v", parts)
	}
	integration, ok := a.Find(route.Stack, parts[1])
	if !ok || integration.Properties["PayloadFormatVersion"] != "2.0" {
		return Named{}, fmt.Errorf("no integration with payload version 2.0")
	}
	alias, ok := a.Find(integration.Stack, integration.Properties["IntegrationUri"])
	if !ok || alias.Type != "AWS::Lambda::Alias" {
		return Named{}, fmt.Errorf("its integration leads to no alias")
	}
	f, ok := a.Find(alias.Stack, alias.Properties["FunctionName"])
	if !ok {
		return Named{}, fmt.Errorf("its alias leads to no function")
	}
	for _, p := range a.OfType("AWS::Lambda::Permission") {
		allowed, _ := a.Find(p.Stack, p.Properties["FunctionName"])
		if allowed.Key() == alias.Key() && p.Properties["Principal"] == "apigateway.amazonaws.com" {
			return f, nil
		}
	}
	return Named{}, fmt.Errorf("API Gateway may not call %s", f.ID)
}

// Source is a queue whose messages Lambda sends to a function.
type Source struct {
	Queue, Function Named
	Batch           int
	Concurrency     int
	Window          time.Duration // how long messages are collected
	Enabled         bool
	Partial         bool // reports failures of single messages
}

// Sources lists the queues that have a consumer.
func (a *Assembly) Sources() []Source {
	var out []Source
	for _, m := range a.OfType("AWS::Lambda::EventSourceMapping") {
		s := Source{Batch: number(m.Properties["BatchSize"]), Enabled: m.Properties["Enabled"] != false,
			Window: time.Duration(number(m.Properties["MaximumBatchingWindowInSeconds"])) * time.Second}
		s.Queue, _ = a.Find(m.Stack, m.Properties["EventSourceArn"])
		s.Function, _ = a.Called(m.Stack, m.Properties["FunctionName"])
		if scaling, ok := m.Properties["ScalingConfig"].(map[string]any); ok {
			s.Concurrency = number(scaling["MaximumConcurrency"])
		}
		s.Partial = slices.Contains(a.Texts(m.Stack, m.Properties["FunctionResponseTypes"]), "ReportBatchItemFailures")
		out = append(out, s)
	}
	return out
}

func number(v any) int {
	f, _ := v.(float64)
	return int(f)
}

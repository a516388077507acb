package assembly

import (
	"fmt"
	"maps"
	"slices"
)

// PolicyStatement is a statement of a policy that belongs to a resource: it also says whom it is about.
type PolicyStatement struct {
	Statement
	// Principals are the services, accounts and roles; "*" is everybody.
	Principals []string
}

// PolicyOf returns the statements of a resource with a PolicyDocument.
func (a *Assembly) PolicyOf(n Named) []PolicyStatement {
	document, _ := n.Properties["PolicyDocument"].(map[string]any)
	list, _ := document["Statement"].([]any)
	plain := a.statements(n.Stack, n.Properties["PolicyDocument"])
	var out []PolicyStatement
	for i, raw := range list {
		s := PolicyStatement{Statement: plain[i]}
		m, _ := raw.(map[string]any)
		if kinds, ok := m["Principal"].(map[string]any); ok {
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				s.Principals = append(s.Principals, a.Texts(n.Stack, kinds[kind])...)
			}
		} else {
			s.Principals = a.Texts(n.Stack, m["Principal"])
		}
		s.Conditions = a.plain(n.Stack, m["Condition"])
		out = append(out, s)
	}
	return out
}

// plain is the value v of a template with every intrinsic as it is after a deploy.
func (a *Assembly) plain(stack string, v any) map[string]map[string][]string {
	out := make(map[string]map[string][]string)
	operators, _ := v.(map[string]any)
	for operator, keys := range operators {
		out[operator] = make(map[string][]string)
		values, _ := keys.(map[string]any)
		for key, value := range values {
			out[operator][key] = a.Texts(stack, value)
		}
	}
	return out
}

// Request is what a service asks of a resource with a policy.
type Request struct {
	Service, Action, Resource string
	Context                   map[string]string // by the key of a condition
}

// Admits reports whether a policy lets the request pass, as IAM decides it for a service: one Allow and no Deny. A condition that it
// does not know panics.
func Admits(policy []PolicyStatement, r Request) bool {
	admitted := false
	for _, s := range policy {
		matchesAny := func(patterns []string, text string) bool {
			return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, text) })
		}
		if !matchesAny(s.Principals, r.Service) || !matchesAny(s.Actions, r.Action) || !matchesAny(s.Resources, r.Resource) || !s.holds(r) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		admitted = true
	}
	return admitted
}

// holds reports whether the conditions of a statement are true for a request.
func (s PolicyStatement) holds(r Request) bool {
	conditions, _ := s.Conditions.(map[string]map[string][]string)
	for operator, keys := range conditions {
		for key, values := range keys {
			switch operator {
			case "Bool", "StringEquals":
				if !slices.Contains(values, r.Context[key]) {
					return false
				}
			default:
				panic(fmt.Sprintf("the condition %s of %s is not known", operator, s.Sid))
			}
		}
	}
	return true
}

package open311

import (
	"errors"
	"strings"
	"testing"
)

// A server could nest values until the suite has no memory left.
func TestReadersBoundDepth(t *testing.T) {
	t.Parallel()
	if _, err := readXML([]byte(strings.Repeat("<services>", maxDepth+2))); !errors.Is(err, errTooDeep) {
		t.Errorf("XML: %v", err)
	}
	if _, err := readJSON([]byte(strings.Repeat("[", maxDepth+2))); !errors.Is(err, errTooDeep) {
		t.Errorf("JSON: %v", err)
	}
	if _, err := readJSON([]byte(strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth))); err != nil {
		t.Errorf("as deep as is allowed: %v", err)
	}
}

// FuzzAnswer reads whatever a server may answer: no answer stops the suite.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`<?xml version="1.0"?><services><service><service_code>1</service_code></service></services>`, `<services><x/></services>`, `<a:services xmlns:a="x" b="c"/>`, `<services>`,
		`[{"service_code":"1","values":[{"key":null}]}]`, `{"errors":[{}]}`, `[1,"x",true,null]`, `[{"lat":1e999}]`, "", "\xff", `<!DOCTYPE x [<!ENTITY e "e">]><services>&e;</services>`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range formats {
			a := &answer{request: "GET https://city.example/services." + format, format: format, status: 200, body: body}
			for _, root := range []string{"services", "service_definition", "discovery"} {
				v, err := a.readDocument(root)
				if err == nil && v.kind == "" {
					t.Errorf("%q is read as nothing", body)
				}
			}
			for _, check := range []func() error{a.wantUTF8, a.wantDeclaration, a.wantMediaType, a.wantPlain, a.wantKnownNames, a.wantDates, func() error { return a.wantKind(kindText, identifiers) }} {
				_ = check()
			}
			_ = a.summary()
		}
	})
}

package openapi_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
)

// Schemas name all members that there are, and no list may be null. Generators make types of them that find a misspelt member.
func TestSchemasAreClosed(t *testing.T) {
	t.Parallel()
	eachObject(t, served(t), func(at string, o map[string]any) {
		if o["additionalProperties"] == true {
			t.Errorf("%s may have any member", at)
		}
		if types, _ := o["type"].([]any); slices.Contains(types, any("array")) {
			t.Errorf("%s is a list or null", at)
		}
		if len(o) == 0 && strings.HasSuffix(at, "/items") {
			t.Errorf("%s says nothing of what is in the list", at)
		}
	})
}

// A member has the format that its name promises, in requests as in answers, unless plainTexts has the reason why not.
func TestMembersHaveTheFormatOfTheirName(t *testing.T) {
	t.Parallel()
	reasons := openapi.PlainTexts()
	used := make(map[string]bool)
	check := func(at, owner, name string, s map[string]any) {
		want := openapi.FormatOf(name)
		types := fmt.Sprint(s["type"])
		if want == "" || !strings.Contains(types, "string") || s["enum"] != nil || s["format"] == want {
			return
		}
		if description, _ := s["description"].(string); strings.Contains(description, "d or report number") || strings.Contains(description, "by id or number") {
			return // the id or the number of a report
		}
		for _, key := range []string{name, owner + "." + name} {
			if reasons[key] != "" {
				used[key] = true
				return
			}
		}
		t.Errorf("%s.%s has no format %s", at, name, want)
	}
	eachObject(t, served(t), func(at string, o map[string]any) {
		if name, _ := o["name"].(string); name != "" && o["in"] != nil {
			schema, _ := o["schema"].(map[string]any)
			if o["description"] != nil {
				schema["description"] = o["description"]
			}
			check(at, "", name, schema)
		}
		properties, _ := o["properties"].(map[string]any)
		for name, s := range properties {
			if s, is := s.(map[string]any); is {
				check(at, at[strings.LastIndex(at, "/")+1:], name, s)
			}
		}
	})
	for key := range reasons {
		if !used[key] {
			t.Errorf("nothing is called %s any more: delete its line in plainTexts", key)
		}
	}
}

// Words that are known are listed also where the server reads others.
func TestRequestsListTheirWords(t *testing.T) {
	t.Parallel()
	document := served(t)
	for member, want := range map[string]string{
		"Device.platform": "android ios web", "MarkerWrite.marker_type": "past plan", "ReportCreate.severity": "low medium high critical",
	} {
		schema, name, _ := strings.Cut(member, ".")
		s := at(document, "components", "schemas", schema, "properties", name)
		if ref, is := s["$ref"].(string); is {
			s = at(document, "components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/"))
		}
		if got := strings.Trim(fmt.Sprint(s["enum"]), "[]"); got != want {
			t.Errorf("%s has the words %q, want %q", member, got, want)
		}
	}
}

// A sign-in is answered with one of two schemas, told apart by the member kind.
func TestSignInIsOneNamedUnion(t *testing.T) {
	t.Parallel()
	document := served(t)
	union := at(document, "components", "schemas", "SignInResult")
	if got := fmt.Sprint(union["oneOf"], union["discriminator"]); got != "[map[$ref:#/components/schemas/Tokens] map[$ref:#/components/schemas/Challenge]] "+
		"map[mapping:map[second_factor:#/components/schemas/Challenge tokens:#/components/schemas/Tokens] propertyName:kind]" {
		t.Errorf("SignInResult is %s", got)
	}
	for name, word := range map[string]string{"Tokens": "tokens", "Challenge": "second_factor"} {
		s := at(document, "components", "schemas", name)
		required, _ := s["required"].([]any)
		if fmt.Sprint(at(s, "properties", "kind")["enum"]) != "["+word+"]" || !slices.Contains(required, any("kind")) {
			t.Errorf("kind of %s is %v", name, at(s, "properties", "kind"))
		}
	}
	for _, path := range []string{"login", "token", "google", "verify-otp", "email-code/verify", "totp/verify"} {
		s := at(document, "paths", "/api/v1/auth/"+path, "post", "responses", "200", "content", "application/json", "schema")
		if s["$ref"] != "#/components/schemas/SignInResult" {
			t.Errorf("/auth/%s answers %v", path, s)
		}
	}
}

// Parameters of many operations are described once, under names that no schema has: a generator for Go makes types of both.
func TestParametersAreShared(t *testing.T) {
	t.Parallel()
	document := served(t)
	if p := at(document, "components", "parameters", "PageSizeParameter"); p["name"] != "page_size" {
		t.Errorf("page_size is %v", p)
	}
	for name := range at(document, "components", "parameters") {
		if at(document, "components", "schemas", name) != nil {
			t.Errorf("%s is a parameter and a schema", name)
		}
	}
}

// served is the document as clients get it.
func served(t testing.TB) map[string]any {
	t.Helper()
	raw, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// at is the object that path leads to; nil where there is none.
func at(document map[string]any, path ...string) map[string]any {
	for _, name := range path {
		document, _ = document[name].(map[string]any)
	}
	return document
}

// eachObject calls visit for every object of a document, with the path to it. Examples are data and are left out.
func eachObject(t testing.TB, document map[string]any, visit func(at string, o map[string]any)) {
	t.Helper()
	var walk func(at string, value any)
	walk = func(at string, value any) {
		switch v := value.(type) {
		case map[string]any:
			visit(at, v)
			for name, member := range v {
				if name != "example" && name != "examples" {
					walk(at+"/"+name, member)
				}
			}
		case []any:
			for i, element := range v {
				walk(fmt.Sprintf("%s/%d", at, i), element)
			}
		}
	}
	walk("", document)
}

// Schemas have the name of a thing: no name that a program made of a Go type, and none that a number tells from another.
func TestSchemasAreNamedAfterThings(t *testing.T) {
	t.Parallel()
	made := regexp.MustCompile(`(Input|Output|Body|Struct|Request\d+|[0-9])$|^(Envelope|Data|Point|Near|Word|Page|Found|Field|Entry|Box)$`)
	for name := range at(served(t), "components", "schemas") {
		if made.MatchString(name) {
			t.Errorf("%s: give its Go type the tag schema on a first field: _ struct{} `schema:\"Name\"`", name)
		}
	}
}

package gateway

import (
	"strings"
	"testing"
)

func TestRouterRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"ANY /a/", "ANY a", "/a", "ANY /a//b", "ANY /a/{x+}/b", "ANY /a/{x}.gpx", "ANY /a/v{x}", "ANY /a/{x", "ANY /a/{}",
		"get /a", "ANY", "ANY /a b", "ANY /a,ANY /a", "ANY /a/{x},ANY /a/{y}", "ANY /a/{x+},ANY /a/{y+}", "ANY /a?b", "$default,$default"} {
		if _, err := NewRouter(strings.Split(keys, ",")); err == nil {
			t.Errorf("%s is accepted", keys)
		}
	}
	for _, key := range []string{"ANY /", "ANY /a", "GET /a/{x}/b.c", "ANY /{proxy+}", "ANY /a/{x}/{proxy+}", "$default"} {
		if _, err := NewRouter([]string{key}); err != nil {
			t.Error(err)
		}
	}
}

func TestRouterTakesTheMostSpecificRoute(t *testing.T) {
	t.Parallel()
	router, err := NewRouter([]string{"$default", "ANY /a", "ANY /a/{proxy+}", "GET /a/{x}", "ANY /a/{x}", "ANY /a/b", "ANY /a/b/{proxy+}", "ANY /a/{x}/c"})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /a": "ANY /a", "GET /a/": "ANY /a/{proxy+}", "GET /": Default, "GET /b": Default, "GET /aa": Default,
		"GET /a/x": "GET /a/{x}", "PUT /a/x": "ANY /a/{x}", "GET /a/b": "ANY /a/b", "GET /a/b/": "ANY /a/b/{proxy+}", "GET /a/x/": "ANY /a/{proxy+}",
		"GET /a/b/d/e": "ANY /a/b/{proxy+}", "GET /a/x/d": "ANY /a/{proxy+}", "GET /a/b/c": "ANY /a/{x}/c", "GET /a//c": "ANY /a/{proxy+}",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got, _, _ := router.Find(method, path); got != want {
			t.Errorf("%s takes %s, want %s", request, got, want)
		}
	}
	if _, variables, _ := router.Find("GET", "/a/b/d/e"); variables["proxy"] != "d/e" {
		t.Errorf("variables %v", variables)
	}
}

package open311_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/shared/report"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["PUBLIC_BASE_URL"] = "https://street.example.tl"
	for stage, want := range map[string]string{"": "test", "staging": "test", "live": "production"} {
		w.Env["STAGE"] = stage
		w.Serve(open311.Open)
		found := w.Anonymous().Get(path("discovery.json")).Want(http.StatusOK).Object()
		endpoint := found.Items("endpoints")[0]
		if endpoint.Text("type") != want || endpoint.Text("url") != "https://street.example.tl/open311/v2" || endpoint.Text("specification") != "http://wiki.open311.org/GeoReport_v2" {
			t.Errorf("stage %q: %v", stage, endpoint)
		}
		if formats, _ := endpoint.Values["formats"].([]any); !slices.Equal(formats, []any{"text/xml", "application/json"}) {
			t.Errorf("formats %v", formats)
		}
		for _, at := range []string{found.Text("changeset"), endpoint.Text("changeset")} {
			if _, err := time.Parse(time.RFC3339, at); err != nil {
				t.Errorf("changeset: %v", err)
			}
		}
		if !strings.Contains(found.Text("contact"), "https://street.example.tl") || !strings.Contains(found.Text("key_service"), "https://street.example.tl") {
			t.Errorf("contact %q, key_service %q", found.Text("contact"), found.Text("key_service"))
		}
	}
	asXML := parse(t, w.Anonymous().Get(path("discovery.xml")).Want(http.StatusOK))
	endpoint := asXML.child("endpoints").child("endpoint")
	if asXML.name != "discovery" || asXML.names() != "changeset contact key_service endpoints" || endpoint.names() != "specification url changeset type formats" ||
		endpoint.child("formats").names() != "format format" {
		t.Errorf("%+v", asXML)
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	nobody := setup(t).Anonymous()
	all := items(t, nobody.Get(path("services.json")).Want(http.StatusOK))
	asXML := parse(t, nobody.Get(path("services.xml")).Want(http.StatusOK))
	if len(all) != len(report.IssueTypes()) || len(asXML.children) != len(all) || asXML.name != "services" {
		t.Fatalf("%d services, %d in XML", len(all), len(asXML.children))
	}
	for i, s := range all {
		code := string(report.IssueTypes()[i])
		if s["service_code"] != code || s["metadata"] != true || s["type"] != "realtime" {
			t.Errorf("%v", s)
		}
		for _, name := range []string{"service_name", "description", "keywords", "group"} {
			if text, _ := s[name].(string); text == "" {
				t.Errorf("%s has no %s", code, name)
			}
		}
		if e := asXML.children[i]; e.name != "service" || e.names() != "service_code service_name description metadata type keywords group" || e.child("metadata").text != "true" {
			t.Errorf("%+v", e)
		}
		definition := nobody.Get(path("services/" + code + ".json")).Want(http.StatusOK).Object()
		if definition.Text("service_code") != code || len(definition.Items("attributes")) != 4 {
			t.Errorf("%v", definition)
		}
	}
}

// The language is that of the query, else of Accept-Language, else English.
func TestServicesHaveTheLanguageThatIsAsked(t *testing.T) {
	t.Parallel()
	nobody := setup(t).Anonymous()
	for query, want := range map[string]string{"": "Pothole", "?locale=pt": "Buraco na estrada", "?langcode=tet": "Rai-kuak iha estrada", "?locale=&langcode=pt-PT": "Buraco na estrada", "?locale=xx": "Pothole"} {
		if got := items(t, nobody.Get(path("services.json"+query)).Want(http.StatusOK)); got[0]["service_name"] != want {
			t.Errorf("%q: %v", query, got[0])
		}
	}
	if got := nobody.With("Accept-Language", "tet").Get(path("services.json")); items(t, got)[0]["service_name"] != "Rai-kuak iha estrada" {
		t.Errorf("%s", got.Body)
	}
}

func TestDefinition(t *testing.T) {
	t.Parallel()
	nobody := setup(t).Anonymous()
	asXML := parse(t, nobody.Get(path("services/Pothole.xml")).Want(http.StatusOK))
	if asXML.name != "service_definition" || asXML.names() != "service_code attributes" || asXML.child("service_code").text != "pothole" {
		t.Errorf("%+v", asXML)
	}
	codes := []string{}
	for i, a := range asXML.child("attributes").children {
		if a.name != "attribute" || a.names() != "variable code datatype required datatype_description order description values" ||
			a.child("variable").text != "true" || a.child("required").text != "false" || a.child("order").text != string(rune('1'+i)) || a.child("description").text == "" {
			t.Errorf("%+v", a)
		}
		codes = append(codes, a.child("code").text+" "+a.child("datatype").text)
		if lists := strings.HasSuffix(a.child("datatype").text, "list"); lists != (len(a.child("values").children) > 0) {
			t.Errorf("%s: values %+v", a.child("code").text, a.child("values"))
		}
		for _, v := range a.child("values").children {
			if v.name != "value" || v.names() != "key name" || v.child("name").text == "" {
				t.Errorf("%+v", v)
			}
		}
	}
	if want := []string{"severity singlevaluelist", "accuracy number", "language singlevaluelist", "anonymous singlevaluelist"}; !slices.Equal(codes, want) {
		t.Errorf("attributes %v", codes)
	}
}

// TestChangeset fails when discovery, services or definitions changed. Then give changeset in discovery.go the present time, and put
// the new hash here.
func TestChangeset(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Env["PUBLIC_BASE_URL"] = "https://street.example.tl"
	w.Serve(open311.Open)
	hash := sha256.New()
	for _, p := range []string{"discovery.xml", "services.xml", "services/pothole.xml", "services/other.xml"} {
		for _, l := range []string{"en", "pt", "tet"} {
			hash.Write(w.Anonymous().Get(path(p + "?locale=" + l)).Want(http.StatusOK).Body)
		}
	}
	const known = "17ece446ee328f37"
	if got := hex.EncodeToString(hash.Sum(nil)[:8]); got != known {
		t.Errorf("the hash is %s", got)
	}
}

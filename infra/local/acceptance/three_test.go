package acceptance

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"testing"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// three calls a server as the Python client of github.com/codeforamerica/three does: JSON, jurisdiction_id with each call, the key in the body.
type three struct {
	*testing.T
	endpoint, key string
}

// list sends a request and returns the bare array that it reads.
func (c three) list(req *http.Request, err error) []object {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	if !bytes.HasPrefix(body, []byte("[")) {
		body = append(append([]byte("["), body...), ']') // discovery and a definition are one object
	}
	var out []object
	if err := json.Unmarshal(body, &out); err != nil || resp.StatusCode != http.StatusOK {
		c.Fatalf("%s: %d %v: %s", req.URL, resp.StatusCode, err, body)
	}
	return out
}

func (c three) get(path string, params url.Values) []object {
	c.Helper()
	params.Set("jurisdiction_id", "dili.tl")
	return c.list(http.NewRequestWithContext(c.Context(), http.MethodGet, c.endpoint+path+".json?"+params.Encode(), nil))
}

func (c three) post(fields map[string]string, media []byte) []object {
	c.Helper()
	fields["api_key"], fields["jurisdiction_id"] = c.key, "dili.tl"
	var body bytes.Buffer
	kind := "application/x-www-form-urlencoded"
	if media == nil {
		form := url.Values{}
		for name, v := range fields {
			form.Set(name, v)
		}
		body.WriteString(form.Encode())
	} else {
		m := multipart.NewWriter(&body)
		for name, v := range fields {
			_ = m.WriteField(name, v)
		}
		part, _ := m.CreateFormFile("media", "photo.png")
		_, _ = part.Write(media)
		_ = m.Close()
		kind = m.FormDataContentType()
	}
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.endpoint+"requests.json", &body)
	if err == nil {
		req.Header.Set("Content-Type", kind)
	}
	return c.list(req, err)
}

func TestThreeClient(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, open311.Open)
	_, key := w.APIKey("three")
	c := three{t, w.URL + "/open311/v2/", key}
	if d := c.get("discovery", url.Values{}); len(d) != 1 || d[0]["endpoints"] == nil {
		t.Errorf("discovery: %v", d)
	}
	service := c.get("services", url.Values{})[0]["service_code"].(string)
	if d := c.get("services/"+service, url.Values{}); d[0]["service_code"] != service {
		t.Errorf("definition: %v", d)
	}
	first := c.post(map[string]string{"service_code": service, "lat": "-8.5569", "long": "125.5603", "first_name": "Zach", "last_name": "Williams", "phone": "555-5555", "description": "My issue description."}, nil)
	second := c.post(map[string]string{"service_code": service, "lat": "-8.5570", "long": "125.5603", "description": "With a photo"}, w.PNG(7))
	for _, made := range [][]object{first, second} {
		id, _ := made[0]["service_request_id"].(string)
		if len(made) != 1 || id == "" || made[0]["token"] != nil {
			t.Fatalf("POST: %v", made)
		}
		if got := c.get("requests/"+id, url.Values{}); len(got) != 1 || got[0]["service_request_id"] != id || got[0]["service_code"] != service {
			t.Errorf("request: %v", got)
		}
		if got := c.get("tokens/"+id, url.Values{}); len(got) != 1 || got[0]["service_request_id"] != id {
			t.Errorf("token: %v", got)
		}
	}
	if n := w.Int(`SELECT count(*) FROM report_images`); n != 1 {
		t.Errorf("%d pictures", n)
	}
	if got := c.get("requests", url.Values{"page_size": {"1"}, "service_code": {service}}); len(got) != 1 {
		t.Errorf("page_size: %v", got)
	}
	if got := c.get("requests", url.Values{"start_date": {"2012-05-01T00:00:00Z"}, "end_date": {"2012-06-01T00:00:00Z"}, "status": {"open"}}); len(got) != 0 {
		t.Errorf("another time: %v", got)
	}
}

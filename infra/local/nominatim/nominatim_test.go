package nominatim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/nominatim"
)

func start(t *testing.T, opts nominatim.Options) *nominatim.Server {
	t.Helper()
	s, err := nominatim.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ask(t *testing.T, url, agent string) (int, []byte, error) {
	t.Helper()
	return askWithin(t, time.Minute, url, agent)
}

func askWithin(t *testing.T, timeout time.Duration, url, agent string) (int, []byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if agent != "" {
		r.Header.Set("User-Agent", agent)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	return res.StatusCode, raw, nil
}

const agent = "LafaekStreet/1.0 (test@example.tl)"

type answer struct {
	DisplayName string `json:"display_name"`
	Lat, Lon    string
	Error       string
	Address     struct {
		Road, Village, State, Country string
		Code                          string `json:"country_code"`
	}
}

func TestReverseNamesTheMunicipality(t *testing.T) {
	t.Parallel()
	s := start(t, nominatim.Options{Interval: -1})
	cases := []struct{ name, query, state string }{
		{"Dili", "lat=-8.5569&lon=125.5603", "Dili"},
		{"Suai", "lat=-9.31&lon=125.25", "Covalima"},
		{"Oecusse", "lat=-9.2&lon=124.36", "Oé-Cusse Ambeno"},
		{"open sea", "lat=0&lon=0", ""},
	}
	for _, c := range cases {
		status, raw, err := ask(t, s.URL()+"/reverse?format=jsonv2&"+c.query, agent)
		var got answer
		if err != nil || status != 200 || json.Unmarshal(raw, &got) != nil || got.Address.State != c.state {
			t.Errorf("%s: %d %s %v", c.name, status, raw, err)
		}
		if c.state != "" && (got.Address.Road == "" || got.Address.Code != "tl" || got.DisplayName == "") {
			t.Errorf("%s: %+v", c.name, got)
		}
		if c.state == "" && got.Error != "Unable to geocode" {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if status, _, _ := ask(t, s.URL()+"/reverse?format=jsonv2&lat=x&lon=1", agent); status != 400 {
		t.Errorf("latitude \"x\": %d", status)
	}
}

func TestSearchIgnoresCaseAndAccents(t *testing.T) {
	t.Parallel()
	s := start(t, nominatim.Options{Interval: -1})
	for query, want := range map[string]int{"liquica": 1, "Lospalos": 1, "Timor-Leste": 5, "paris": 0} {
		status, raw, err := ask(t, s.URL()+"/search?format=jsonv2&limit=5&countrycodes=tl&q="+query, agent)
		var got []answer
		if err != nil || status != 200 || json.Unmarshal(raw, &got) != nil || len(got) != want {
			t.Errorf("%s: %d %s %v, want %d places", query, status, raw, err, want)
		}
	}
}

func TestUsagePolicyIsEnforced(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := start(t, nominatim.Options{Now: func() time.Time { return now }})
	url := s.URL() + "/reverse?format=jsonv2&lat=-8.55&lon=125.57"
	if status, _, _ := ask(t, url, ""); status != 403 {
		t.Errorf("without a User-Agent: %d", status)
	}
	now = now.Add(time.Second)
	if status, _, _ := ask(t, url, agent); status != 200 {
		t.Errorf("first request: %d", status)
	}
	if status, _, _ := ask(t, url, agent); status != 429 {
		t.Errorf("second request within a second: %d", status)
	}
	now = now.Add(time.Second)
	if status, _, _ := ask(t, url, agent); status != 200 {
		t.Errorf("a second later: %d", status)
	}
	if got := s.Requests(); got != 4 {
		t.Errorf("counted %d requests, want 4", got)
	}
}

func TestFaultsFailEveryRequest(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	s := start(t, nominatim.Options{Interval: -1, Faults: set})
	for mode, want := range map[faults.Mode]int{faults.Error: 500, faults.Throttle: 429, faults.Malformed: 200, faults.Timeout: 0, faults.DropReply: 0} {
		set.Clear()
		if err := set.Add(faults.Fault{Service: "nominatim", Mode: mode, Count: faults.Forever}); err != nil {
			t.Fatal(err)
		}
		timeout := time.Minute
		if mode == faults.Timeout {
			timeout = 200 * time.Millisecond
		}
		status, raw, err := askWithin(t, timeout, s.URL()+"/search?format=jsonv2&q=dili", agent)
		if status != want || (err != nil) != (want == 0) || json.Valid(raw) && mode == faults.Malformed {
			t.Errorf("%s: %d %s %v", mode, status, raw, err)
		}
	}
}

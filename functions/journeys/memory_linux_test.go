package journeys_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// smallMemory is the memory in MiB in which the function reads and writes the largest file. In Lambda it has more, for the
// processor time that comes with it.
const smallMemory = 256

// largestFiles are recorded tracks of 200,000 points, the one in GPX of a little less than 20 MB.
func largestFiles() map[string]string {
	var gpx, geojson strings.Builder
	gpx.WriteString(`<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1"><trk><name>Long</name><trkseg>`)
	geojson.WriteString(`{"type":"LineString","coordinates":[[124.5,-8.9]`)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 200_000 {
		lon, lat := 124.5+float64(i)*8e-6, -8.9+float64(i%997)*1e-5+float64(i)*1e-6
		fmt.Fprintf(&gpx, `<trkpt lat="%.6f" lon="%.6f"><ele>%d.%d</ele><time>%s</time></trkpt>`, lat, lon, i%900, i%10, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
		if i > 0 {
			fmt.Fprintf(&geojson, `,[%.6f,%.6f,%d.%d]`, lon, lat, i%900, i%10)
		}
	}
	return map[string]string{"GPX": gpx.String() + `</trkseg></trk></gpx>`, "GeoJSON": geojson.String() + "]}"}
}

// The function as it is deployed imports the largest files, and sends them again, and never takes more than 256 MiB. Lambda
// counts resident memory. The limit of the kernel counts mapped memory, which depends on the order of allocations, so it is
// twice as much here: it ends a function that takes memory without end.
func TestTheLargestFilesFitIntoASmallFunction(t *testing.T) {
	b, w := setupWithStorage(t)
	maria := b.rider()
	id := maria.journey(nil)
	f := deployed(t, w.Env)
	for format, file := range largestFiles() {
		upload := uuid.Must(uuid.NewV7())
		stored(t, w, id, upload, file)
		status, body := f.call(t, maria.Token, "POST", "/journeys/"+id+"/import", fmt.Sprintf(`{"upload_id": %q}`, upload))
		if status != http.StatusCreated || !strings.Contains(body, `"points":200000`) {
			t.Errorf("the import of %s is %d %.300s", format, status, body)
		}
	}
	for _, path := range []string{"/route.gpx", "/route"} {
		if status, body := f.call(t, maria.Token, "GET", "/journeys/"+id+path, ""); status != http.StatusOK && status != http.StatusFound {
			t.Errorf("%s is %d %.300s", path, status, body)
		}
	}
	peak, starts, err := f.Memory()
	if err != nil || starts > 1 {
		t.Errorf("the function was started %d times: it died in between (%v)", starts, err)
	}
	if peak > smallMemory<<20 {
		t.Errorf("the function took %d MiB", peak>>20)
	}
}

// small is the function's binary under Lambda's Runtime API.
type small struct{ *runtimeapi.Function }

func deployed(t *testing.T, env map[string]string) small {
	t.Helper()
	root, err := binary.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := binary.Build(t.Context(), root, (&journeys.Group{}).Name(), runtime.GOARCH, path); err != nil {
		t.Fatal(err)
	}
	own := maps.Clone(env)
	own["DATABASE_MAX_CONNS"] = "2"
	f, err := runtimeapi.New(runtimeapi.Config{Name: "journeys", Binary: path, Env: own, Timeout: time.Minute, Memory: smallMemory, Limit: 2 * smallMemory, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return small{f}
}

// call sends a request as API Gateway does, and returns the status and the body.
func (f small) call(t *testing.T, token, method, path, body string) (int, string) {
	t.Helper()
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "$default", RawPath: "/api/v1" + path, Body: body,
		Headers: map[string]string{"authorization": "Bearer " + token, "accept-encoding": "gzip", "content-type": "application/json", "host": "localhost"}}
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: e.RawPath, Protocol: "HTTP/1.1", SourceIP: "192.0.2.1"}
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := f.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var out events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if out.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(out.Body)
		if err != nil {
			t.Fatal(err)
		}
		out.Body = string(decoded)
	}
	return out.StatusCode, out.Body
}

package open311_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// rewrite is a fault that changes answers of a right server.
type rewrite struct {
	path     string // the answers to these paths, by their beginning
	old, new string
	failed   string // the requirements that must fail by it
}

// rewrites are faults that no server in use is known to have. With those of deviations they make every requirement fail.
var rewrites = map[string]rewrite{
	"discovery: status":           {"/v2/discovery", "200", "500", "discovery.xml discovery.json"},
	"discovery: type":             {"/v2/discovery.xml", "<type>test", "<type>beta", "discovery.endpoints"},
	"discovery: specification":    {"/v2/discovery", "GeoReport_v2", "GeoReport_v1", "discovery.specification discovery.url"},
	"discovery: format":           {"/v2/discovery", "text/xml", "xml", "discovery.formats format.xml-media-type"},
	"discovery: address":          {"/v2/discovery.xml", "<url>http", "<url>http://elsewhere.example/http", "discovery.url discovery.same"},
	"discovery: changeset":        {"/v2/discovery", "2026-01-01T", "yesterday T", "discovery.changeset"},
	"services: root":              {"/v2/services.xml", "services>", "list>", "services.xml format.xml-names"},
	"services: name":              {"/v2/services.xml", "<service_name>Service 001</service_name>", "", "services.fields"},
	"services: type":              {"/v2/services.json", `"realtime"`, `"quick"`, "services.words"},
	"services: double":            {"/v2/services.", "002", "001", "services.unique requests.service"},
	"services: group":             {"/v2/services.json", `,"group":null`, ``, "services.all-fields"},
	"services: other":             {"/v2/services.json", "002", "003", "services.same"},
	"jurisdiction: status":        {"/v2/services.xml?jurisdiction_id=no", "404", "400", "jurisdiction.unknown"},
	"definition: code":            {"/v2/services/001", "001", "002", "definition.code"},
	"definition: variable":        {"/v2/services/001.json", `"variable":true,`, "", "definition.fields definition.words"},
	"definition: datatype":        {"/v2/services/001.json", `"number"`, `"decimal"`, "definition.words"},
	"definition: order":           {"/v2/services/001.json", `"order":2`, `"order":1`, "definition.order"},
	"definition: key":             {"/v2/services/001.json", `"key":"r"`, `"key":"g"`, "definition.values"},
	"definition: description":     {"/v2/services/001.xml", "<description>What?</description>", "", "definition.all-fields"},
	"definition: unknown":         {"/v2/services/no", "404", "400", "definition.unknown"},
	"requests: root":              {"/v2/requests.xml", "service_requests>", "list>", "create.xml create.address_string create.address_id create.media_url requests.xml format.xml-names"},
	"requests: date of change":    {"/v2/requests.json", "updated_datetime", "changed", "requests.fields"},
	"requests: zipcode":           {"/v2/requests.json", "zipcode", "zip", "requests.all-fields"},
	"requests: status":            {"/v2/requests.json", `"open"`, `"Open"`, "requests.status"},
	"requests: degrees":           {"/v2/requests.json", "-8.55", "-98.55", "requests.place"},
	"requests: long text":         {"/v2/requests.json", "Hole 1", strings.Repeat("x", 4001), "requests.description"},
	"requests: double":            {"/v2/requests.json", `"001","status"`, `"000","status"`, "requests.unique"},
	"requests: date without zone": {"/v2/requests.json", "T12:00:00Z", "T12:00:00", "format.dates"},
	"requests: number":            {"/v2/requests.json", "-8.55", `"-8.55"`, "format.json-numbers"},
	"requests: foreign element":   {"/v2/requests.xml", "<zipcode>", "<colour>red</colour><zipcode>", "format.xml-names"},
	"requests: not UTF-8":         {"/v2/requests.json", "Hole 1", "Hole \xff", "format.utf-8"},
	"requests: media type":        {"/v2/requests.json", "application/json; charset=utf-8", "application/json", "errors.media-type format.json-media-type"},
	"request: other":              {"/v2/requests/", "new", "old", "create.found request.xml request.json"},
	"request: other text":         {"/v2/requests/", "Service 00", "Dienst 00", "request.same"},
	"request: unknown":            {"/v2/requests/no", "404", "200", "request.unknown"},
	"token: other":                {"/v2/tokens/t-", "t-new", "t-old", ""},
	"token: unknown":              {"/v2/tokens/no", "404", "400", "token.unknown"},
	"path: unknown":               {"/v2/no", "404", "400", "errors.path"},
	"filter: bad date":            {"/v2/requests.xml?start_date=yes", "400", "404", "filter.bad-date"},
	"created: text":               {"/v2/requests/new", "ã", "a", "create.text"},
	"created: place":              {"/v2/requests/new", "125.57", "124.57", "create.place request.same"},
	"created: contact":            {"/v2/requests/new", "Rua 1", "conformance@example.org", "create.private"},
	"updates: no key":             {"/v2/servicerequestupdates.xml", "403", "401", "updates.no-key"},
	"updates: id":                 {"/v2/servicerequestupdates.xml", "update_id>", "id>", "updates.fields updates.post"},
	"updates: status":             {"/v2/servicerequestupdates.xml", "IN_PROGRESS", "sleeping", "updates.status"},
}

// rewritten is s with the faults that are rewrites. They change the status, if old is the status, the media type and the body.
func (s *server) rewritten(faults []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := httptest.NewRecorder()
		s.ServeHTTP(held, r)
		body, status, mediaType := held.Body.Bytes(), held.Code, held.Header().Get("Content-Type")
		for _, name := range faults {
			f, ok := rewrites[name]
			if !ok || !strings.HasPrefix(r.URL.RequestURI(), f.path) {
				continue
			}
			if f.old == strconv.Itoa(status) {
				status, _ = strconv.Atoi(f.new)
			}
			body = bytes.ReplaceAll(body, []byte(f.old), []byte(f.new))
			mediaType = strings.ReplaceAll(mediaType, f.old, f.new)
		}
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

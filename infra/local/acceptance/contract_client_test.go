package acceptance

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// visitor calls the system as one person and checks every response against the document.
type visitor struct {
	*testing.T
	apiclient.Tester
	doc *document
}

func newVisitor(t *testing.T, url string) *visitor {
	return &visitor{t, apiclient.NewTester(t, url), readDocument(t)}
}

func (v *visitor) as(token string) *visitor {
	return &visitor{v.T, v.WithToken(token), v.doc}
}

// do sends a request and ends the test unless the status is this one. See apiclient.Request for paths and bodies.
func (v *visitor) do(method, path string, body any, want int) apiclient.TestResponse {
	v.Helper()
	return v.send(method, path, body).Want(want)
}

// status is the status of a request without a body.
func (v *visitor) status(method, path string) int {
	v.Helper()
	return v.send(method, path, nil).Status
}

func (v *visitor) send(method, path string, body any) apiclient.TestResponse {
	v.Helper()
	r := apiclient.Request{Method: method, Path: path, Body: body}
	got := v.Send(v.Context(), r)
	if !strings.HasPrefix(path, "//_local/") {
		v.doc.check(method, r.Target(), got.Response)
	}
	return got
}

func (v *visitor) get(path string) apiclient.TestResponse {
	v.Helper()
	return v.do("GET", path, nil, 200)
}

// first is a member of the first element of a list.
func first(r apiclient.TestResponse, list, name string) string {
	return r.Object().Items(list)[0].Text(name)
}

func picture(raw []byte) apiclient.Form {
	return apiclient.Form{FileField: "file", FileName: "photo.jpg", File: raw}
}

// patience is how long a test waits for the result of a worker.
const patience = 4 * time.Minute

// until calls f until it returns true.
func (v *visitor) until(what string, f func() bool) {
	v.Helper()
	deadline := time.After(patience)
	for !f() {
		select {
		case <-deadline:
			v.Fatalf("%s: not within the time", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// mailed waits for a mail to an address in which pattern finds a value other than
// before, and returns this value. It reads the mails in the console of the local system.
func (v *visitor) mailed(address string, pattern *regexp.Regexp, before string) string {
	v.Helper()
	found := ""
	v.until("a mail to "+address, func() bool {
		var mails []struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(v.get("//_local/mail?to="+url.QueryEscape(address)).Body, &mails); err != nil {
			v.Fatal(err)
		}
		for _, m := range mails {
			if match := pattern.FindStringSubmatch(m.Text); match != nil && match[len(match)-1] != before {
				found = match[len(match)-1]
				return true
			}
		}
		return false
	})
	return found
}

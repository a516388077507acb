package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

const requestID = "X-Request-Id"

// answer collects the whole answer of a function. As with Lambda, nothing reaches the client before the function returns.
type answer struct {
	header   http.Header
	sent     http.Header // the headers when the status was written
	status   int
	body     bytes.Buffer
	tooLarge bool
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(part []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(part) > MaxBytes {
		a.tooLarge = true
		return len(part), nil
	}
	return a.body.Write(part)
}

func (a *answer) copyTo(w http.ResponseWriter) {
	a.WriteHeader(http.StatusOK)
	maps.Copy(w.Header(), a.sent)
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a client that is gone needs no answer
}

// refuse answers in place of a function.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	body, err := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail, "code": code,
		"request_id": r.Header.Get(requestID),
	})
	if err != nil {
		body = []byte("{}")
	}
	setCommonHeaders(w, r)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// refuseTooLarge answers a request that no function gets. A form and an import carry a file, and functions give the same code
// to a file that is too large for them.
func refuseTooLarge(w http.ResponseWriter, r *http.Request) {
	code, detail := "request_too_large", "The request is larger than 6 MB."
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/") || strings.HasSuffix(r.URL.Path, "/import") {
		code, detail = "use_direct_upload", detail+" Ask for a direct upload: send JSON with the content type and the size of the file."
	}
	refuse(w, r, http.StatusRequestEntityTooLarge, code, detail)
}

// setCommonHeaders sets the headers that every answer of a function has.
func setCommonHeaders(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(requestID, r.Header.Get(requestID))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	httpapi.Share(w.Header(), r, []string{"*"})
}

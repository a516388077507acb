package open311

import (
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// writeErrors is the httpapi.ProblemForm of Open311: errors with a code and a description each, in the format of the path, else in
// XML. The specification has 404 for what does not exist, 403 for a key, and 400 for everything else that the caller did wrong.
// 405, 429 and the faults of the server keep their status. The code in the body may be finer than the status.
func writeErrors(w http.ResponseWriter, r *http.Request, d *problem.Document) {
	_, f, _ := cutFormat(strings.TrimRight(r.URL.Path, "/"))
	h := w.Header()
	h.Set("Content-Type", f.contentType())
	h.Set("Cache-Control", "no-store")
	status, code := statusOf(d.Status)
	w.WriteHeader(status)
	_, _ = w.Write(errorsOf(code, d).encode(f)) // an error means that the client is gone
}

// errorsOf has one error for each invalid input, else one alone.
func errorsOf(code int, d *problem.Document) document {
	each := func(text string) object {
		return object{{"code", code}, {"description", text}}
	}
	all := list{item: "error"}
	for _, f := range d.Errors {
		all.values = append(all.values, each(f.Name+": "+f.Message))
	}
	if len(all.values) == 0 {
		all.values = append(all.values, each(d.Detail))
	}
	return document{"errors", all}
}

// statusOf returns the HTTP status and the code in the body for the status of a problem.
func statusOf(status int) (int, int) {
	switch {
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status == http.StatusMethodNotAllowed,
		status == http.StatusForbidden, status == http.StatusNotFound:
		return status, status
	case status == http.StatusUnauthorized:
		return http.StatusForbidden, http.StatusForbidden
	case status == http.StatusGone:
		return http.StatusNotFound, http.StatusNotFound
	case status == http.StatusConflict, status == http.StatusRequestEntityTooLarge, status == http.StatusUnsupportedMediaType:
		return http.StatusBadRequest, status
	}
	return http.StatusBadRequest, http.StatusBadRequest
}

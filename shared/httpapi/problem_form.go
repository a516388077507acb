package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// ProblemForm writes a problem in another form than a problem document: as a page, or as another standard says. It sends the
// header too, and may send another status than that of the document. Retry-After and other headers of the problem are set already.
type ProblemForm func(w http.ResponseWriter, r *http.Request, d *problem.Document)

// FormProblems has form write the problems of all paths that begin with prefix, also of those that no operation has.
func (a *API) FormProblems(prefix string, form ProblemForm) {
	a.forms = append(a.forms, prefixForm{prefix, form})
}

type prefixForm struct {
	prefix string
	form   ProblemForm
}

// formOf is the form of problems for a request; nil for the problem document.
func (a *API) formOf(r *http.Request) ProblemForm {
	if opensPage(r) {
		return writeProblemPage
	}
	for _, f := range a.forms {
		if strings.HasPrefix(r.URL.Path, f.prefix) {
			return f.form
		}
	}
	return nil
}

// formed answers with a problem in the form that the request gets.
func (a *API) formed(next http.Handler) http.Handler {
	// A panic is answered here and not further out, so that it gets the form too.
	inner := a.recovered(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := a.formOf(r)
		if form == nil {
			next.ServeHTTP(w, r)
			return
		}
		held := &problemWriter{ResponseWriter: w}
		inner.ServeHTTP(held, r)
		held.finish(r, form)
	})
}

// problemWriter keeps a problem document back, and passes anything else.
type problemWriter struct {
	http.ResponseWriter
	status int // of the problem; 0 for anything else
	passed bool
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (w *problemWriter) WriteHeader(status int) {
	switch {
	case w.status != 0 || w.passed:
	case status >= http.StatusBadRequest && strings.HasPrefix(w.Header().Get("Content-Type"), mediaProblem):
		w.status = status
	default:
		w.passed = status >= http.StatusOK
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements io.Writer.
func (w *problemWriter) Write(b []byte) (int, error) {
	if w.status != 0 {
		return w.body.Write(b)
	}
	w.passed = true
	return w.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (w *problemWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *problemWriter) finish(r *http.Request, form ProblemForm) {
	if w.status == 0 {
		return
	}
	d := problem.Document{}
	if err := json.Unmarshal(w.body.Bytes(), &d); err != nil {
		d.Detail = http.StatusText(w.status)
	}
	d.Status = w.status
	w.Header().Del("Content-Length")
	form(w.ResponseWriter, r, &d)
}

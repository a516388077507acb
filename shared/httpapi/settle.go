package httpapi

import (
	"net/http"
	"slices"

	"github.com/lafaekstreet/backend/shared/admission"
)

// unchangedCost is what a 304 costs of the budget, in requests.
const unchangedCost = 0.1

// settled runs a request whose budgets are spent and gives back what the answer turns out not to cost: a 304 costs a tenth
// of a request, and a request that made nothing costs nothing of the classes that count work. The RateLimit headers
// of the answer say what is left then.
func (a *API) settled(w http.ResponseWriter, r *http.Request, o Operation, spent []admission.Spend, budgets []admission.Budget, next http.Handler) {
	if len(budgets) == 0 || r.Header.Get("If-None-Match") == "" && !slices.ContainsFunc(spent, isWork) {
		next.ServeHTTP(w, r)
		return
	}
	seen := &settlingWriter{ResponseWriter: w, settle: func(status int) {
		var unused []admission.Spend
		var of []int // their places in budgets
		for i, s := range spent {
			if s.Cost -= costAfter(o, s, status, w.Header()); s.Cost > 0 {
				unused, of = append(unused, s), append(of, i)
			}
		}
		if len(unused) == 0 {
			return
		}
		for i, b := range a.deps.Admission.Return(r.Context(), unused) {
			budgets[of[i]] = b
		}
		showBudgets(w.Header(), budgets)
	}}
	defer seen.settleOnce(http.StatusInternalServerError) // if next panics or writes nothing
	next.ServeHTTP(seen, r)
}

// costAfter is what a request of o costs of s after an answer with this status and header.
func costAfter(o Operation, s admission.Spend, status int, h http.Header) float64 {
	made := o.DefaultStatus
	if made == 0 {
		made = http.StatusOK
	}
	switch {
	case isWork(s) && (status != made || h.Get(replayHeader) != ""):
		return 0
	case !isWork(s) && status == http.StatusNotModified:
		return s.Cost * unchangedCost
	}
	return s.Cost
}

func isWork(s admission.Spend) bool { return s.Class.Work() }

// giveBack returns what a refused request has spent of the classes that count work.
func (a *API) giveBack(r *http.Request, spent []admission.Spend) {
	work := slices.DeleteFunc(slices.Clone(spent), func(s admission.Spend) bool { return !isWork(s) })
	if len(work) > 0 {
		a.deps.Admission.Return(r.Context(), work)
	}
}

// settlingWriter calls settle with the status of the answer, before the headers are sent.
type settlingWriter struct {
	http.ResponseWriter
	settle func(status int) // nil once called
}

func (w *settlingWriter) settleOnce(status int) {
	if settle := w.settle; settle != nil {
		w.settle = nil
		settle(status)
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *settlingWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.settleOnce(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *settlingWriter) Write(b []byte) (int, error) {
	w.settleOnce(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (w *settlingWriter) Flush() {
	w.settleOnce(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

// Unwrap serves http.ResponseController.
func (w *settlingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

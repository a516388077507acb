package runtimeapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const version = "/2018-06-01/runtime/"

// routes serves the Runtime API as AWS documents it.
func (f *Function) routes() http.Handler {
	a := &api{function: f, open: make(map[string]*invocation)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+version+"invocation/next", a.next)
	mux.HandleFunc("POST "+version+"invocation/{id}/response", a.response)
	mux.HandleFunc("POST "+version+"invocation/{id}/error", a.failure)
	mux.HandleFunc("POST "+version+"init/error", a.initError)
	return mux
}

// api answers the requests of the function.
type api struct {
	function *Function
	mu       sync.Mutex
	open     map[string]*invocation // given to the function and not answered yet
}

func (a *api) process() *process {
	a.function.mu.Lock()
	defer a.function.mu.Unlock()
	return a.function.process
}

func (a *api) next(w http.ResponseWriter, r *http.Request) {
	p := a.process()
	p.once.Do(func() { p.polled = time.Now() })
	select {
	case p.idle <- struct{}{}:
	default:
	}
	select {
	case call := <-p.next:
		a.mu.Lock()
		a.open[call.id] = call
		a.mu.Unlock()
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", a.function.arn())
		h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%08x-%s", time.Now().Unix(), "000000000000000000000000"))
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(call.payload) // a function that hangs up here has ended
	case <-p.exited:
	case <-r.Context().Done():
	}
}

// take returns the invocation that the request names, and removes it: an invocation is answered once.
func (a *api) take(w http.ResponseWriter, r *http.Request) (*invocation, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	call, ok := a.open[r.PathValue("id")]
	if !ok {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no such invocation waits for an answer")
		return nil, false
	}
	delete(a.open, call.id)
	return call, true
}

func (a *api) response(w http.ResponseWriter, r *http.Request) {
	call, ok := a.take(w, r)
	if !ok {
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		call.result <- result{err: &Error{Type: "Function.ResponseSizeTooLarge", Message: "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}}
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "response exceeds the limit")
		return
	case err != nil:
		return // the function has hung up; its exit is the error
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		call.result <- result{err: &Error{Type: kind, Message: "the response broke off"}}
	} else {
		call.result <- result{payload: payload}
	}
	accept(w)
}

func (a *api) failure(w http.ResponseWriter, r *http.Request) {
	call, ok := a.take(w, r)
	if !ok {
		return
	}
	call.result <- result{err: readError(w, r)}
	accept(w)
}

func (a *api) initError(w http.ResponseWriter, r *http.Request) {
	err := readError(w, r)
	select {
	case a.process().failed <- err:
	default:
	}
	accept(w)
}

func readError(w http.ResponseWriter, r *http.Request) *Error {
	e := &Error{Type: "Unhandled"}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxPayload)).Decode(e); err != nil {
		e.Message = "malformed error"
	}
	if e.Type == "" {
		e.Type = "Unhandled"
	}
	return e
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n") // nobody to tell
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Error{Type: kind, Message: message}) // nobody to tell
}

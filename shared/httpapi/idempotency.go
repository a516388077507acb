package httpapi

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

const (
	idempotencyHeader = "Idempotency-Key"
	replayHeader      = "Idempotent-Replay"
)

var acceptableKey = regexp.MustCompile(`^[\x21-\x7e]{1,200}$`)

// once gives a repeated POST its first answer again. An operation that works in a
// transaction records its answer there (RecordAnswer), so that no crash comes
// between the effect and the record. For others it is recorded afterwards.
func (a *API) once(w http.ResponseWriter, r *http.Request, b body, aliases []alias, next http.Handler) {
	key := r.Header.Get(idempotencyHeader)
	if !acceptableKey.MatchString(key) {
		a.refuse(w, r, problem.New(problem.Invalid, "idempotency_key_invalid"))
		return
	}
	claim, first, err := a.deps.Keys.Claim(r.Context(), owner(r), key, hashesOf(r, b, aliases))
	switch {
	case errors.Is(err, errKeyReused):
		a.refuse(w, r, problem.New(problem.Invalid, "idempotency_key_reused"))
	case errors.Is(err, errRequestRunning):
		a.refuse(w, r, problem.New(problem.Conflict, "request_in_progress").After(time.Second))
	case err != nil:
		a.refuse(w, r, err)
	case first != nil:
		w.Header().Set(replayHeader, "true")
		w.Header().Set("Content-Type", first.ContentType)
		w.WriteHeader(first.Status)
		_, _ = w.Write(first.Body) // the client may be gone
	default:
		a.run(w, r, claim, next)
	}
}

func (a *API) run(w http.ResponseWriter, r *http.Request, claim *keyClaim, next http.Handler) {
	ctx := withClaim(r.Context(), claim)
	tee := &teeWriter{ResponseWriter: w, status: http.StatusOK}
	finished := false
	defer func() {
		// Also when the handler panics: an unfinished claim must not block the retry.
		answer := recordedAnswer{Status: tee.status, ContentType: w.Header().Get("Content-Type"), Body: tee.body.Bytes()}
		if err := claim.Finish(ctx, finished, answer); err != nil {
			a.deps.Log.WarnContext(ctx, "idempotency record not finished", "error", err)
		}
	}()
	next.ServeHTTP(tee, r.WithContext(ctx))
	finished = true
}

// owner separates the keys of one person from those of another.
func owner(r *http.Request) string {
	if c, ok := identity.FromContext(r.Context()); ok {
		return c.UserID.String()
	}
	return "anonymous"
}

type teeWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (w *teeWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *teeWriter) Write(b []byte) (int, error) {
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

package httpapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

const requestIDHeader = "X-Request-Id"

// isRequestID reports whether a client may name its request so: 8 to 64 of these characters. Another name is replaced.
func isRequestID(id string) bool {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=-"
	return len(id) >= 8 && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool { return !strings.ContainsRune(characters, r) })
}

// identified gives the context of each request its id, its origin and the language that Accept-Language asks for; of a page, the
// language that its reader chose.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !isRequestID(id) {
			id = uuid.NewString()
		}
		w.Header().Set(requestIDHeader, id)
		ctx := telemetry.WithRequestID(r.Context(), id)
		ctx = context.WithValue(ctx, originKey{}, origin(r))
		if l, ok := locale.FromHeader(r.Header.Get("Accept-Language")); ok {
			ctx = locale.WithLanguage(ctx, l)
		}
		if l, ok := pageLanguage(r); ok && opensPage(r) {
			ctx = locale.WithLanguage(ctx, l)
		}
		if l, ok := open311Language(r); ok {
			ctx = locale.WithLanguage(ctx, l)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// open311Language is the language that a client of Open311 asks for in the query. Servers in use have either name.
func open311Language(r *http.Request) (locale.Language, bool) {
	if !strings.HasPrefix(r.URL.Path, "/open311/") {
		return locale.Default, false
	}
	for _, name := range []string{"locale", "langcode"} {
		if l, ok := locale.FromHeader(r.URL.Query().Get(name)); ok {
			return l, true
		}
	}
	return locale.Default, false
}

// ClientAddress is the address the gateway saw the client at, without its port.
// For limits and hashing only: it is personal data.
func ClientAddress(r *http.Request) string { return HostOf(r.RemoteAddr) }

// HostOf is ClientAddress for a bare remote address.
func HostOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

type originKey struct{}

// Origin is the scheme and host the client reached this API under, for links in
// answers to that client: "https://api.example.tl"; empty outside of a request.
func Origin(ctx context.Context) string {
	o, _ := ctx.Value(originKey{}).(string)
	return o
}

func origin(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// logged writes one line for each request. It has the pattern of the route, not its
// parameters, because those may hold tokens and places.
func (a *API) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := a.mux.Handler(r)
		began := time.Now()
		seen := &countedWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		a.deps.Log.InfoContext(r.Context(), "request", "method", r.Method, "route", pattern,
			"status", seen.status, "bytes", seen.bytes, "ms", time.Since(began).Milliseconds())
	})
}

// countedWriter notes the status and the number of bytes of an answer.
type countedWriter struct {
	http.ResponseWriter
	status  int
	bytes   int64
	written bool
}

// WriteHeader implements http.ResponseWriter.
func (w *countedWriter) WriteHeader(status int) {
	if !w.written && status >= http.StatusOK {
		w.status, w.written = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *countedWriter) Write(b []byte) (int, error) {
	w.written = true
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *countedWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

// Unwrap serves http.ResponseController.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recovered turns a panic into a 500. The cause is only in the log, not in the answer.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			a.deps.Log.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			a.refuse(w, r, errInternal)
		}()
		next.ServeHTTP(w, r)
	})
}

// secured sets the security headers of every answer.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// cachedForAll reports whether shared caches keep the answers of a path. Those answers must allow every origin, also when the
// first request came from an app without Origin: a browser may get the same copy.
func cachedForAll(path string) bool {
	for _, shared := range []string{"/api/v1/public/", "/log/", "/open311/"} {
		if strings.HasPrefix(path, shared) {
			return true
		}
	}
	return ofOGC(path)
}

// cors answers preflight requests, which carry no token, and sets the CORS headers of all other answers, errors too.
// No cookies are used, so credentials are never allowed.
func cors(origins []string, next http.Handler) http.Handler {
	methods, headers := strings.Join(catalog.CORSMethods(), ", "), strings.Join(catalog.CORSHeaders(), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Share(w.Header(), r, origins)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h := w.Header()
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", headers)
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Share sets the headers that let a script of an allowed origin read the answer to r. "*" allows every origin.
func Share(h http.Header, r *http.Request, origins []string) {
	origin := r.Header.Get("Origin")
	switch {
	case !slices.Contains(origins, "*"):
		h.Add("Vary", "Origin")
		if slices.Contains(origins, origin) {
			h.Set("Access-Control-Allow-Origin", origin)
		}
	case origin != "" || cachedForAll(r.URL.Path):
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if origin != "" { // an app does not need it and pays for every byte
		h.Set("Access-Control-Expose-Headers", strings.Join(catalog.CORSExposed(), ", "))
	}
}

// plainPath gives a request the path that the mux knows: without a slash at the end and without empty segments. The mux itself
// would answer such a path with a redirect, and a client that follows it sends no body.
func plainPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.URL.EscapedPath()
		if plain := path.Clean(sent); strings.HasPrefix(sent, "/") && plain != sent {
			u := *r.URL
			if decoded, err := url.PathUnescape(plain); err == nil {
				u.Path, u.RawPath = decoded, plain
			}
			r = r.WithContext(r.Context()) // a copy
			r.URL = &u
		}
		next.ServeHTTP(w, r)
	})
}

// around adds what every request passes, whether its route exists or not. The last one added runs first.
func (a *API) around(h http.Handler) http.Handler {
	h = known(a.mux, fixedPaths(a.routes), h)
	h = a.formed(h)
	h = compressed(h)
	h = cors(a.deps.Config.CORSOrigins, h)
	h = secured(h)
	h = a.recovered(h)
	h = a.logged(h)
	h = identified(h)
	return plainPath(h)
}

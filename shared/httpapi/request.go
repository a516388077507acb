package httpapi

import (
	"context"
	"net"
	"net/http"
	"regexp"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

const requestIDHeader = "X-Request-Id"

// A client may name its request; anything but these characters is replaced.
var acceptableRequestID = regexp.MustCompile(`^[A-Za-z0-9._=-]{8,64}$`)

// identified gives each request its id and its reader's language.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !acceptableRequestID.MatchString(id) {
			id = uuid.NewString()
		}
		w.Header().Set(requestIDHeader, id)
		ctx := telemetry.WithRequestID(r.Context(), id)
		ctx = context.WithValue(ctx, originKey{}, origin(r))
		if l, ok := locale.FromHeader(r.Header.Get("Accept-Language")); ok {
			ctx = locale.WithLanguage(ctx, l)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
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

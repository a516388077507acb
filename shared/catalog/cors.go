package catalog

// CORSMethods are the methods that scripts of other origins may use.
func CORSMethods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
}

// CORSHeaders are the request headers that scripts of other origins may send: those that the API reads, and those that HTTP
// clients, browsers and tracing libraries add by themselves. API Gateway answers preflights from a fixed list and can except
// none from "*", so the list is long. X-LafaekStreet is not in it and must never be: this header proves that a request comes
// from our own pages.
func CORSHeaders() []string {
	return []string{
		"Accept", "Accept-Language", "Authorization", "Content-Encoding", "Content-Language", "Content-Type", "Idempotency-Key",
		"If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Range", "X-Client-Time", "X-Request-Id",
		// added by clients
		"Cache-Control", "DNT", "Last-Event-ID", "Pragma", "Prefer", "User-Agent", "X-App-Version", "X-Client-Version", "X-CSRF-Token",
		"X-Device-Id", "X-Platform", "X-Requested-With", "X-XSRF-TOKEN",
		// added by tracing
		"B3", "Baggage", "Elastic-Apm-Traceparent", "Newrelic", "Sentry-Trace", "Traceparent", "Tracestate", "Uber-Trace-Id",
		"X-Amzn-Trace-Id", "X-B3-Flags", "X-B3-ParentSpanId", "X-B3-Sampled", "X-B3-SpanId", "X-B3-TraceId", "X-Cloud-Trace-Context",
		"X-Correlation-Id", "X-Datadog-Origin", "X-Datadog-Parent-Id", "X-Datadog-Sampling-Priority", "X-Datadog-Trace-Id",
	}
}

// CORSExposed are the response headers that scripts of other origins may read.
func CORSExposed() []string {
	return []string{
		"Content-Disposition", "Deprecation", "ETag", "Idempotent-Replay", "Link", "Location", "Next-Cursor", "RateLimit-Limit",
		"RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Sunset", "WWW-Authenticate", "X-Request-Id", "X-Truncated",
	}
}

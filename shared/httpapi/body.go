package httpapi

import "net/http"

const defaultMaxBody = 1 << 20

// bounded cuts the request body off at the operation's limit.
func bounded(o Operation, next http.Handler) http.Handler {
	limit := o.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

package s3

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is one request: its bucket, its key and the name that the API gives the operation.
type call struct {
	bucket, key, operation string
}

// parse finds the operation that r asks for. The operation is empty when the stand-in does not serve it.
func parse(r *http.Request) call {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c := call{bucket: bucket, key: key}
	q := r.URL.Query()
	if bucket == "" {
		return c
	}
	on := "bucket"
	if key != "" {
		on = "object"
	}
	switch r.Method + " " + on + " " + subresource(q) {
	case "PUT bucket notification":
		c.operation = "PutBucketNotificationConfiguration"
	case "PUT bucket cors":
		c.operation = "PutBucketCors"
	case "PUT bucket ":
		c.operation = "CreateBucket"
	case "GET bucket ":
		if q.Get("list-type") == "2" {
			c.operation = "ListObjectsV2"
		}
	case "GET object ":
		c.operation = "GetObject"
	case "HEAD object ":
		c.operation = "HeadObject"
	case "DELETE object ":
		c.operation = "DeleteObject"
	case "PUT object ":
		if r.Header.Get("X-Amz-Copy-Source") == "" {
			c.operation = "PutObject"
		}
	}
	return c
}

// subresource is the query parameter that makes another operation of the same method and path, such as "cors". Any
// parameter that is not known to be harmless counts as one.
func subresource(q url.Values) string {
	harmless := []string{"x-id", "list-type", "prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type", "fetch-owner"}
	for name := range q {
		if !strings.HasPrefix(name, "X-Amz-") && !slices.Contains(harmless, name) {
			return name
		}
	}
	return ""
}

package s3

import (
	"net/http"
	"strings"
)

// call is one request, named as the API names it.
type call struct {
	bucket, key, operation string
}

// name tells which operation r asks for; empty when the stand-in has none.
func name(r *http.Request) call {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c := call{bucket: bucket, key: key}
	q := r.URL.Query()
	sub := ""
	for k := range q {
		switch k {
		case "acl", "cors", "lifecycle", "notification", "policy", "tagging", "encryption", "versioning", "versions", "publicAccessBlock",
			"ownershipControls", "logging", "website", "replication", "object-lock", "retention", "legal-hold", "torrent", "restore", "select",
			"attributes", "accelerate", "requestPayment", "analytics", "inventory", "metrics", "intelligent-tiering", "policyStatus",
			"uploads", "uploadId", "location", "delete":
			sub = k
		}
	}
	is := func(method, subresource string, key bool) bool {
		return r.Method == method && sub == subresource && (c.key != "") == key
	}
	switch {
	case bucket == "" && r.Method == http.MethodGet:
		c.operation = "ListBuckets"
	case is("PUT", "notification", false):
		c.operation = "PutBucketNotificationConfiguration"
	case is("GET", "notification", false):
		c.operation = "GetBucketNotificationConfiguration"
	case is("PUT", "cors", false):
		c.operation = "PutBucketCors"
	case is("GET", "cors", false):
		c.operation = "GetBucketCors"
	case is("DELETE", "cors", false):
		c.operation = "DeleteBucketCors"
	case is("GET", "tagging", true):
		c.operation = "GetObjectTagging"
	case is("PUT", "tagging", true):
		c.operation = "PutObjectTagging"
	case is("DELETE", "tagging", true):
		c.operation = "DeleteObjectTagging"
	case is("GET", "location", false):
		c.operation = "GetBucketLocation"
	case is("POST", "delete", false):
		c.operation = "DeleteObjects"
	case is("GET", "uploads", false):
		c.operation = "ListMultipartUploads"
	case is("POST", "uploads", true):
		c.operation = "CreateMultipartUpload"
	case is("PUT", "uploadId", true):
		c.operation = "UploadPart"
	case is("GET", "uploadId", true):
		c.operation = "ListParts"
	case is("POST", "uploadId", true):
		c.operation = "CompleteMultipartUpload"
	case is("DELETE", "uploadId", true):
		c.operation = "AbortMultipartUpload"
	case is("GET", "", false):
		c.operation = "ListObjects"
		if q.Get("list-type") == "2" {
			c.operation = "ListObjectsV2"
		}
	case is("PUT", "", false):
		c.operation = "CreateBucket"
	case is("HEAD", "", false):
		c.operation = "HeadBucket"
	case is("DELETE", "", false):
		c.operation = "DeleteBucket"
	case is("POST", "", false):
		c.operation = "PostObject"
	case is("GET", "", true):
		c.operation = "GetObject"
	case is("HEAD", "", true):
		c.operation = "HeadObject"
	case is("DELETE", "", true):
		c.operation = "DeleteObject"
	case is("PUT", "", true) && r.Header.Get("X-Amz-Copy-Source") != "":
		c.operation = "CopyObject"
	case is("PUT", "", true):
		c.operation = "PutObject"
	}
	return c
}

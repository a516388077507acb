package deployed

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/assembly"
)

// guard is a proxy between one function and AWS. As IAM does, it passes on only what the policy of the function allows. It
// does not change requests, so their signatures stay valid.
type guard struct {
	function assembly.Function
	lambda   http.Handler // answers calls of other functions
	proxy    *httputil.ReverseProxy
	server   *http.Server
	url      string

	mu       sync.Mutex
	refusals []string
}

func newGuard(target string, f assembly.Function, lambda http.HandlerFunc) (*guard, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	g := &guard{function: f, lambda: lambda, url: "http://" + l.Addr().String()}
	g.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			r.Out.Host = r.In.Host // the signature covers the host
		},
		ModifyResponse: g.hide,
	}
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = g.server.Serve(l) }() // ends with Close
	return g, nil
}

// URL is the address that the function uses for AWS.
func (g *guard) URL() string { return g.url }

// Close stops the proxy.
func (g *guard) Close() error { return g.server.Close() }

func (g *guard) refused() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.refusals...)
}

// need is one permission that a request needs: the action on at least one of the resources.
type need struct {
	action    string
	resources []string
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions { // a preflight, which S3 answers to anybody
		g.proxy.ServeHTTP(w, r)
		return
	}
	needs, err := g.needs(r)
	if err != nil {
		g.deny(w, r, err.Error())
		return
	}
	for _, n := range needs {
		allowed := false
		for _, resource := range n.resources {
			allowed = allowed || g.function.Allows(n.action, resource)
		}
		if !allowed {
			g.deny(w, r, fmt.Sprintf("is not authorized to perform: %s on resource: %s", n.action, strings.Join(n.resources, " or ")))
			return
		}
	}
	if strings.HasPrefix(r.URL.Path, lambdaPath) {
		g.lambda.ServeHTTP(w, r)
		return
	}
	g.proxy.ServeHTTP(w, r)
}

// needs lists the permissions that a request needs.
func (g *guard) needs(r *http.Request) ([]need, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return g.needsOfTarget(r, target)
	}
	if strings.HasPrefix(r.URL.Path, "/model/") {
		id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/model/"), "/")
		return needsOfModel(r, id), nil
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, lambdaPath); ok {
		return needsOfLambda(rest)
	}
	bucket, key, hasKey := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	arn := "arn:aws:s3:::" + bucket
	if !hasKey || key == "" {
		switch {
		case r.URL.Query().Has("versions"):
			return []need{{"s3:ListBucketVersions", []string{arn}}}, nil
		case r.URL.Query().Has("delete"):
			return needsOfDelete(r, arn)
		}
		return []need{{"s3:ListBucket", []string{arn}}}, nil
	}
	object := []string{arn + "/" + key}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return []need{{"s3:GetObject", object}}, nil
	case http.MethodDelete:
		if r.URL.Query().Has("versionId") {
			return []need{{"s3:DeleteObjectVersion", object}}, nil
		}
		return []need{{"s3:DeleteObject", object}}, nil
	}
	needs := []need{{"s3:PutObject", object}}
	if r.Header.Get("X-Amz-Object-Lock-Mode") != "" {
		needs = append(needs, need{"s3:PutObjectRetention", object})
	}
	if source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source")); err == nil && source != "" {
		needs = append(needs, need{"s3:GetObject", []string{"arn:aws:s3:::" + strings.TrimPrefix(source, "/")}})
	}
	return needs, nil
}

// needsOfDelete lists what a request to delete several objects needs: the permission for each of them.
func needsOfDelete(r *http.Request, bucket string) ([]need, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in struct{ Object []struct{ Key string } }
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("is not XML: %w", err)
	}
	var out []need
	for _, o := range in.Object {
		out = append(out, need{"s3:DeleteObject", []string{bucket + "/" + o.Key}})
	}
	return out, nil
}

func (g *guard) needsOfTarget(r *http.Request, target string) ([]need, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in struct{ QueueUrl, KeyId, SecretId string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	service, operation, _ := strings.Cut(target, ".")
	switch service {
	case "AmazonSQS":
		// A batch needs the permission of the action for one message.
		action := "sqs:" + strings.TrimSuffix(operation, "Batch")
		return []need{{action, []string{"arn:aws:sqs:" + region + ":" + account + ":" + in.QueueUrl[strings.LastIndex(in.QueueUrl, "/")+1:]}}}, nil
	case "TrentService":
		arn := in.KeyId
		if !strings.HasPrefix(arn, "arn:") {
			arn = "arn:aws:kms:" + region + ":" + account + ":key/" + in.KeyId
		}
		return []need{{"kms:" + operation, []string{arn}}}, nil
	case "secretsmanager":
		// A policy names the whole ARN, or has a pattern for the ending that Secrets Manager adds.
		return []need{{"secretsmanager:" + operation, []string{in.SecretId, in.SecretId + "-abcdef"}}}, nil
	}
	return nil, fmt.Errorf("calls %s, which infra/deployed does not know", target)
}

// needsOfModel lists the permissions that a call of a model needs: the model itself, or the inference profile and the model in each
// region that the profile may send the call to.
func needsOfModel(r *http.Request, id string) []need {
	if plain, err := url.PathUnescape(id); err == nil {
		id = plain
	}
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope := strings.Split(rest, "/")
	where := region
	if len(scope) > 2 {
		where = scope[2]
	}
	call := func(resource string) need {
		return need{"bedrock:InvokeModel", []string{"arn:aws:bedrock:" + resource}}
	}
	base, profile := strings.CutPrefix(id, "us.")
	if !profile {
		return []need{call(where + "::foundation-model/" + id)}
	}
	return []need{call(where + ":" + account + ":inference-profile/" + id), call(where + "::foundation-model/" + base),
		call("us-east-2::foundation-model/" + base), call("us-west-2::foundation-model/" + base)}
}

// hide answers 403 for a missing object if the function may not list the bucket, as S3 does.
func (g *guard) hide(res *http.Response) error {
	r := res.Request
	if res.StatusCode != http.StatusNotFound || r.Header.Get("X-Amz-Target") != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if strings.HasPrefix(r.URL.Path, "/model/") || g.function.Allows("s3:ListBucket", "arn:aws:s3:::"+bucket) {
		return nil
	}
	_ = res.Body.Close()
	const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`
	res.StatusCode, res.Status = http.StatusForbidden, "403 Forbidden"
	res.Body = io.NopCloser(strings.NewReader(body))
	res.ContentLength = int64(len(body))
	res.Header.Set("Content-Length", fmt.Sprint(len(body)))
	res.Header.Set("Content-Type", "application/xml")
	return nil
}

func (g *guard) deny(w http.ResponseWriter, r *http.Request, why string) {
	g.mu.Lock()
	g.refusals = append(g.refusals, why)
	g.mu.Unlock()
	message := "User: arn:aws:sts::" + account + ":assumed-role/" + g.function.Name + " " + why
	if r.Header.Get("X-Amz-Target") == "" && !strings.HasPrefix(r.URL.Path, "/model/") && !strings.HasPrefix(r.URL.Path, lambdaPath) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>%s</Message></Error>", message) // the function may be gone
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "AccessDeniedException", "message": message}) // the function may be gone
}

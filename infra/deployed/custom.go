package deployed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
)

// apply calls the functions of the custom resources of the given types, as CloudFormation does, and keeps the attributes
// that they answer with.
func (d *Deployment) apply(ctx context.Context, types ...string) error {
	replies := make(chan cfn.Response, 1)
	// In AWS the answer goes to a presigned address of S3.
	front := httptest.NewServer(receiveReplies(replies))
	defer front.Close()
	serial := 0
	for _, kind := range types {
		for _, r := range d.assembly.OfType(kind) {
			serial++
			event := cfn.Event{RequestType: cfn.RequestCreate, RequestID: fmt.Sprintf("00000000-0000-4000-9000-%012d", serial),
				ResponseURL: front.URL, ResourceType: r.Type, LogicalResourceID: r.ID, StackID: "arn:aws:cloudformation:::stack/" + r.Stack,
				ResourceProperties: d.properties(r)}
			if err := d.create(ctx, r, event, replies); err != nil {
				return fmt.Errorf("custom resource %s: %w", r.ID, err)
			}
		}
	}
	return nil
}

// receiveReplies accepts the answers of custom resources with the limits of CloudFormation.
func receiveReplies(replies chan<- cfn.Response) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(io.LimitReader(r.Body, 4096+1)) // CloudFormation takes no more
		var reply cfn.Response
		if err != nil || len(raw) > 4096 || r.Method != http.MethodPut || json.Unmarshal(raw, &reply) != nil {
			http.Error(w, "not an answer of a custom resource", http.StatusBadRequest)
			return
		}
		replies <- reply
	}
}

// properties returns the properties of a custom resource as its function gets them.
func (d *Deployment) properties(r assembly.Named) map[string]any {
	out := make(map[string]any)
	for name, v := range r.Properties {
		if _, list := v.([]any); list {
			out[name] = d.assembly.Texts(r.Stack, v)
			continue
		}
		out[name] = d.assembly.Text(r.Stack, v)
	}
	return out
}

// create sends an event to the function of a custom resource and keeps the attributes of its answer.
func (d *Deployment) create(ctx context.Context, r assembly.Named, event cfn.Event, replies <-chan cfn.Response) error {
	target, ok := d.assembly.Find(r.Stack, r.Properties["ServiceToken"])
	if !ok {
		return errors.New("it has no function")
	}
	f, err := d.byKey(target.Key())
	if err != nil {
		return err
	}
	raw, err := json.Marshal(event)
	if err != nil {
		return err
	}
	if _, err := f.Invoke(ctx, raw); err != nil {
		return err
	}
	select {
	case reply := <-replies:
		if reply.Status != cfn.StatusSuccess {
			return errors.New(reply.Reason)
		}
		d.setAttribute(r, "Ref", reply.PhysicalResourceID)
		for name, v := range reply.Data {
			d.setAttribute(r, name, fmt.Sprint(v))
		}
	default:
		return errors.New("CloudFormation got no answer")
	}
	d.assembly.In(d.world)
	return nil
}

// byKey returns the function with a key of the assembly. It starts the function if it does not run yet.
func (d *Deployment) byKey(key string) (*function, error) {
	if f := d.functions[key]; f != nil {
		return f, nil
	}
	for _, f := range d.assembly.Functions() {
		if f.Key() == key {
			started, err := d.run(f, 1, f.Memory)
			if err != nil {
				return nil, err
			}
			d.functions[key] = started
			return started, nil
		}
	}
	return nil, fmt.Errorf("no function %s", key)
}

// Invoke sends an event to the function called name in this repository.
func (d *Deployment) Invoke(ctx context.Context, name string, event []byte) ([]byte, error) {
	for _, f := range d.functions {
		if strings.HasSuffix(f.Name, "-"+name) {
			return f.Invoke(ctx, event)
		}
	}
	return nil, fmt.Errorf("no function %s", name)
}

// lambdaPath is the prefix of the paths of Lambda's own API.
const lambdaPath = "/2015-03-31/functions/"

// needsOfLambda reads "<ARN>/invocations" and "<ARN>/aliases/<name>".
func needsOfLambda(path string) ([]need, error) {
	arn, action, _ := strings.Cut(path, "/")
	if action == "invocations" {
		return []need{{"lambda:InvokeFunction", []string{arn}}}, nil
	}
	if alias, ok := strings.CutPrefix(action, "aliases/"); ok {
		return []need{{"lambda:GetAlias", []string{arn + ":" + alias}}}, nil
	}
	return nil, fmt.Errorf("calls %s of Lambda, which infra/deployed does not know", action)
}

// lambda answers calls of one function by another. There is no alias yet: this is the first deployment.
func (d *Deployment) lambda(w http.ResponseWriter, r *http.Request) {
	arn, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, lambdaPath), "/")
	f := d.byARN(arn)
	if action != "invocations" || f == nil {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"Type":"User","Message":"Function not found: `+arn+`"}`) // the function may be gone
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, runtimeapi.MaxPayload))
	if err != nil {
		return // the caller has hung up
	}
	answer, err := f.Invoke(r.Context(), payload)
	var failed *runtimeapi.Error
	if errors.As(err, &failed) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer = fmt.Appendf(nil, `{"errorType":%q,"errorMessage":%q}`, failed.Type, failed.Message)
	}
	w.Header().Set("X-Amz-Executed-Version", arn[strings.LastIndex(arn, ":")+1:])
	_, _ = w.Write(answer) // the function may be gone
}

// byARN returns the function with an ARN, which may end in a version. It is nil if there is none.
func (d *Deployment) byARN(arn string) *function {
	for key, f := range d.functions {
		stack, id, _ := strings.Cut(key, "/")
		own := d.assembly.Text(stack, map[string]any{"Fn::GetAtt": []any{id, "Arn"}})
		if arn == own || strings.HasPrefix(arn, own+":") {
			return f
		}
	}
	return nil
}

package deployed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"
)

// apply calls the functions of the custom resources of the given types, as CloudFormation does, and keeps the attributes
// that they answer with.
func (d *Deployment) apply(ctx context.Context, types ...string) error {
	replies := make(chan cfn.Response, 1)
	// In AWS the answer goes to a presigned address of S3.
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(io.LimitReader(r.Body, 4096+1)) // CloudFormation takes no more
		var reply cfn.Response
		if err != nil || len(raw) > 4096 || r.Method != http.MethodPut || json.Unmarshal(raw, &reply) != nil {
			http.Error(w, "not an answer of a custom resource", http.StatusBadRequest)
			return
		}
		replies <- reply
	}))
	defer front.Close()
	serial := 0
	for _, kind := range types {
		for _, r := range d.assembly.OfType(kind) {
			target, ok := d.assembly.Find(r.Stack, r.Properties["ServiceToken"])
			if !ok {
				return fmt.Errorf("%s has no function", r.ID)
			}
			f, err := d.byKey(target.Key())
			if err != nil {
				return err
			}
			properties := make(map[string]any)
			for name, v := range r.Properties {
				if _, list := v.([]any); list {
					properties[name] = d.assembly.Texts(r.Stack, v)
					continue
				}
				properties[name] = d.assembly.Text(r.Stack, v)
			}
			serial++
			event, err := json.Marshal(cfn.Event{RequestType: cfn.RequestCreate, RequestID: fmt.Sprintf("00000000-0000-4000-9000-%012d", serial),
				ResponseURL: front.URL, ResourceType: r.Type, LogicalResourceID: r.ID, StackID: "arn:aws:cloudformation:::stack/" + r.Stack,
				ResourceProperties: properties})
			if err != nil {
				return fmt.Errorf("custom resource %s: %w", r.ID, err)
			}
			if _, err := f.Invoke(ctx, event); err != nil {
				return fmt.Errorf("custom resource %s: %w", r.ID, err)
			}
			select {
			case reply := <-replies:
				if reply.Status != cfn.StatusSuccess {
					return fmt.Errorf("custom resource %s: %s", r.ID, reply.Reason)
				}
				d.decided(r, "Ref", reply.PhysicalResourceID)
				for name, v := range reply.Data {
					d.decided(r, name, fmt.Sprint(v))
				}
			default:
				return fmt.Errorf("custom resource %s: CloudFormation got no answer", r.ID)
			}
			d.assembly.In(d.world)
		}
	}
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

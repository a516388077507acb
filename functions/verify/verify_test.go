package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lafaekstreet/backend/functions/verify"
)

const prefix = "arn:aws:lambda:us-east-1:000000000000:function:lafaekstreet-test-"

// versions answers as the versions of functions do, by name; each answer once, the last for good.
type versions struct {
	mu      sync.Mutex
	answers map[string][]string
	live    map[string]string
	asked   map[string]int
}

func (v *versions) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(in.Payload, &event); err != nil || event.RequestContext.HTTP.Method != "GET" {
		return nil, errors.New("no event of a gateway")
	}
	name := strings.Split(strings.TrimPrefix(*in.FunctionName, prefix), ":")[0]
	if v.asked == nil {
		v.asked = make(map[string]int)
	}
	list := v.answers[name]
	answer := list[min(v.asked[name], len(list)-1)]
	v.asked[name]++
	switch {
	case answer == "denied":
		return nil, errors.New("AccessDeniedException")
	case strings.HasPrefix(answer, "{\"errorType"):
		return &lambda.InvokeOutput{FunctionError: aws.String("Unhandled"), Payload: []byte(answer)}, nil
	}
	return &lambda.InvokeOutput{Payload: []byte(answer)}, nil
}

func (v *versions) GetAlias(_ context.Context, in *lambda.GetAliasInput, _ ...func(*lambda.Options)) (*lambda.GetAliasOutput, error) {
	if version, ok := v.live[strings.TrimPrefix(*in.FunctionName, prefix)]; ok && *in.Name == "live" {
		return &lambda.GetAliasOutput{FunctionVersion: &version}, nil
	}
	return nil, errors.New("ResourceNotFoundException")
}

const (
	ready   = `{"statusCode":200}`
	unknown = `{"statusCode":404,"body":"{}"}`
	down    = `{"statusCode":503,"body":"database down"}`
	crash   = `{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}`
)

func TestApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers map[string][]string
		live    map[string]string
		want    []string // of the error; none: it succeeds
		asked   int      // of "auth"; 0: whatever
	}{
		"all work":                   {answers: map[string][]string{"meta": {ready}, "auth": {unknown}}, asked: 1},
		"a database that wakes":      {answers: map[string][]string{"meta": {down, down, ready}, "auth": {unknown}}},
		"a policy that is late":      {answers: map[string][]string{"meta": {ready}, "auth": {"denied", "denied", unknown}}, asked: 3},
		"one cannot start":           {answers: map[string][]string{"meta": {ready}, "auth": {crash}}, want: []string{"lafaekstreet-test-auth:7: fails", "exit status 1"}},
		"both are named":             {answers: map[string][]string{"meta": {down}, "auth": {"nonsense"}}, want: []string{"test-meta:7: answers 503", "test-auth:7: gives no HTTP answer"}},
		"a permission is missing":    {answers: map[string][]string{"meta": {ready}, "auth": {"denied"}}, want: []string{"AccessDenied"}},
		"the live one is left alone": {answers: map[string][]string{"meta": {ready}, "auth": {crash}}, live: map[string]string{"auth": "7"}},
		"an older one is live":       {answers: map[string][]string{"meta": {ready}, "auth": {crash}}, live: map[string]string{"auth": "6"}, want: []string{"test-auth:7"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			functions := &versions{answers: c.answers, live: c.live}
			var id string
			var err error
			synctest.Test(t, func(t *testing.T) { // patience passes at once
				id, _, err = verify.New(functions, time.Second, time.Minute).Apply(t.Context(), cfn.Event{RequestType: cfn.RequestUpdate,
					ResourceProperties: map[string]any{"Alias": "live", "Versions": []any{prefix + "auth:7", prefix + "meta:7"}}})
			})
			if id != "verified" || (err == nil) != (c.want == nil) {
				t.Fatalf("%s, %v", id, err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %q", err, part)
				}
			}
			if c.asked > 0 && functions.asked["auth"] != c.asked {
				t.Errorf("auth was asked %d times, want %d", functions.asked["auth"], c.asked)
			}
		})
	}
}

func TestApplyWithoutVersions(t *testing.T) {
	t.Parallel()
	for _, properties := range []map[string]any{nil, {"Alias": "live"}, {"Versions": []any{prefix + "auth:7"}}, {"Alias": "live", "Versions": []any{}}, {"Alias": "live", "Versions": []any{"auth"}}} {
		if _, _, err := verify.New(&versions{}, time.Millisecond, time.Second).Apply(t.Context(), cfn.Event{ResourceProperties: properties}); err == nil {
			t.Errorf("%v: nothing is verified and nobody hears of it", properties)
		}
	}
}

package verify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lafaekstreet/backend/functions/verify"
	"github.com/lafaekstreet/backend/shared/catalog"
)

const prefix = "arn:aws:lambda:us-east-1:000000000000:function:lafaekstreet-test-"

// versions answers as the versions of functions do, by name; each answer once, the last for good.
type versions struct {
	mu      sync.Mutex
	answers map[string][]string
	live    map[string]string
	asked   map[string]int
	events  map[string]string
}

func (v *versions) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := strings.Split(strings.TrimPrefix(*in.FunctionName, prefix), ":")[0]
	if v.asked == nil {
		v.asked = make(map[string]int)
	}
	if v.events == nil {
		v.events = make(map[string]string)
	}
	v.events[name] = string(in.Payload)
	list := v.answers[name]
	answer := list[min(v.asked[name], len(list)-1)]
	v.asked[name]++
	switch {
	case answer == "hangs":
		<-ctx.Done()
		return nil, ctx.Err()
	case answer == "slow":
		v.mu.Unlock()
		time.Sleep(15 * time.Second)
		v.mu.Lock()
		return nil, errors.New("gives up")
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
	refused = `{"statusCode":422,"body":"{}"}`
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
		"all work":                   {answers: map[string][]string{"meta": {ready}, "auth": {refused}}, asked: 1},
		"a database that wakes":      {answers: map[string][]string{"meta": {down, down, ready}, "auth": {refused}}},
		"a policy that is late":      {answers: map[string][]string{"meta": {ready}, "auth": {"denied", "denied", refused}}, asked: 3},
		"one cannot start":           {answers: map[string][]string{"meta": {ready}, "auth": {crash}}, want: []string{"lafaekstreet-test-auth:7: fails", "exit status 1"}},
		"a route is unknown":         {answers: map[string][]string{"meta": {ready}, "auth": {unknown}}, want: []string{"test-auth:7: answers 404"}},
		"both are named":             {answers: map[string][]string{"meta": {down}, "auth": {"nonsense"}}, want: []string{"test-meta:7: answers 503", "test-auth:7: gives no HTTP answer"}},
		"a permission is missing":    {answers: map[string][]string{"meta": {ready}, "auth": {"denied"}}, want: []string{"AccessDenied"}},
		"the last call is cut short": {answers: map[string][]string{"meta": {ready}, "auth": {crash, "hangs"}}, want: []string{"test-auth:7: fails", "exit status 1"}, asked: 2},
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

// Broken versions that use up the patience do not make the others count as broken: each is asked once.
func TestEachVersionIsAskedOnce(t *testing.T) {
	t.Parallel()
	broken := []string{"auth", "users", "admin", "staff", "reports"} // more than are asked at the same time
	for name, patience := range map[string]time.Duration{"some patience": time.Minute, "none": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			functions := &versions{answers: map[string][]string{"meta": {ready}}}
			var list []any
			for _, b := range broken {
				functions.answers[b] = []string{crash}
				list = append(list, prefix+b+":7")
			}
			var err error
			synctest.Test(t, func(t *testing.T) {
				_, _, err = verify.New(functions, time.Second, patience).Apply(t.Context(), cfn.Event{RequestType: cfn.RequestUpdate,
					ResourceProperties: map[string]any{"Alias": "live", "Versions": append(list, prefix+"meta:7")}})
			})
			if err == nil || strings.Contains(err.Error(), "meta") || functions.asked["meta"] != 1 {
				t.Errorf("meta was asked %d times: %v", functions.asked["meta"], err)
			}
			for _, b := range broken {
				if !strings.Contains(err.Error(), b+":7: fails") || patience == 0 && functions.asked[b] != 1 {
					t.Errorf("%s was asked %d times: %v", b, functions.asked[b], err)
				}
			}
		})
	}
}

// Many versions that fail slowly leave the time to ask one that works, within the function's three minutes.
func TestSlowVersionsLeaveTimeForTheOthers(t *testing.T) {
	t.Parallel()
	functions := &versions{answers: map[string][]string{"meta": {ready}}}
	var list []any
	for _, f := range catalog.Functions() {
		if f.Name != "meta" {
			functions.answers[string(f.Name)] = []string{"slow"}
			list = append(list, prefix+string(f.Name)+":7")
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		_, _, err := verify.New(functions, time.Second, 2*time.Minute).Apply(ctx,
			cfn.Event{ResourceProperties: map[string]any{"Alias": "live", "Versions": append(list, prefix+"meta:7")}})
		if err == nil || strings.Contains(err.Error(), "meta") || strings.Count(err.Error(), "gives up") != len(list) {
			t.Errorf("%v", err)
		}
	})
}

// A version that hangs is given up in time to answer CloudFormation.
func TestTheTimeLimitEndsTheFirstRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		_, _, err := verify.New(&versions{answers: map[string][]string{"auth": {"hangs"}}}, time.Second, 2*time.Minute).Apply(ctx,
			cfn.Event{ResourceProperties: map[string]any{"Alias": "live", "Versions": []any{prefix + "auth:7"}}})
		if err == nil || !strings.Contains(err.Error(), "test-auth:7") || ctx.Err() != nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
	})
}

// Workers and scheduled functions are called too, with events that make them do nothing.
func TestEveryKindIsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, event, want string }{
		"anchor":  {answer: `{"batchItemFailures":[]}`, event: `"Records":[]`},
		"images":  {answer: `{"batchItemFailures":[{"itemIdentifier":"1"}]}`, want: "does not answer as a worker"},
		"notify":  {answer: crash, want: "fails"},
		"geocode": {answer: `"OK"`, want: "does not answer as a worker"},
		"relay":   {answer: `null`, event: `"detail-type":"LafaekStreet Verification"`},
		"digest":  {answer: crash, want: "fails"},
		"users":   {answer: `{"statusCode":401}`, event: `"rawPath":"/api/v1/users/me"`},
		"nobody":  {answer: ready, want: `"nobody" is no function`},
	} {
		functions := &versions{answers: map[string][]string{name: {c.answer}}}
		synctest.Test(t, func(t *testing.T) {
			_, _, err := verify.New(functions, time.Second, 2*time.Second).Apply(t.Context(), cfn.Event{RequestType: cfn.RequestUpdate,
				ResourceProperties: map[string]any{"Alias": "live", "Versions": []any{prefix + name + ":7"}}})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || !strings.Contains(functions.events[name], c.event) {
				t.Errorf("%s: %v, want %q; it was sent %s", name, err, c.want, functions.events[name])
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

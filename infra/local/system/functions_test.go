package system

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
)

// Every function of the catalogue runs on one machine, except those that only a deploy calls.
func TestEveryFunctionRunsLocally(t *testing.T) {
	t.Parallel()
	want := make(map[catalog.Kind][]string)
	for _, f := range catalog.Functions() {
		want[f.Kind] = append(want[f.Kind], string(f.Name))
	}
	compare(t, httpFunctions(), want[catalog.HTTP])
	compare(t, workers(), want[catalog.Queue])
	compare(t, scheduled(), want[catalog.Schedule])
}

func compare[Name ~string, Open any](t *testing.T, openers map[Name]Open, want []string) {
	t.Helper()
	var got []string
	for name := range maps.Keys(openers) {
		got = append(got, string(name))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("opens %v, want %v", got, want)
	}
}

// The queues of this machine have the times of those in AWS. Otherwise a message that comes back too late, or is given up too
// soon, would be seen there only.
func TestQueuesHaveTheDeployedTimes(t *testing.T) {
	t.Parallel()
	cloud, err := aws.Start(aws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	client := sqs.NewFromConfig(cloud.Config())
	s := &System{env: config.Env{}}
	if _, err := s.createQueues(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	urls, err := queueURLs(s.env)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range catalog.Queues() {
		url := urls[string(q.Name)]
		got, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if hidden := got.Attributes["VisibilityTimeout"]; hidden != strconv.Itoa(int(6*(q.Consumer().Timeout+q.Window)/time.Second)) {
			t.Errorf("%s: hidden for %s s", q.Name, hidden)
		}
		if redrive := got.Attributes["RedrivePolicy"]; !strings.Contains(redrive, `"maxReceiveCount":`+strconv.Itoa(catalog.MaxReceives)+`}`) {
			t.Errorf("%s: %s", q.Name, redrive)
		}
	}
}

// A function that runs at times of the day runs at the next of them, and one with an interval after its interval.
func TestUntilTheNextCall(t *testing.T) {
	t.Parallel()
	daily := catalog.Function{Daily: []time.Duration{22*time.Hour + 30*time.Minute, 22*time.Hour + 40*time.Minute}}
	for now, want := range map[string]time.Duration{"00:00": 22*time.Hour + 30*time.Minute, "22:29": time.Minute, "22:30": 10 * time.Minute, "22:41": 23*time.Hour + 49*time.Minute} {
		at, err := time.Parse("2006-01-02 15:04", "2026-12-31 "+now)
		if err != nil {
			t.Fatal(err)
		}
		if got := untilNext(daily, at); got != want {
			t.Errorf("at %s: in %v, want %v", now, got, want)
		}
	}
	if got := untilNext(catalog.Function{Every: time.Hour}, time.Now()); got != time.Hour/speed {
		t.Errorf("each hour: in %v", got)
	}
}

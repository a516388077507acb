package sqs

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

type empty struct{}

// attribute is a numeric attribute of a queue: its default and its bounds.
type attribute struct{ fallback, low, high int }

// settable are the numeric attributes that a caller may set. RedrivePolicy is the only other one.
func settable() map[string]attribute {
	return map[string]attribute{
		"VisibilityTimeout":             {30, 0, 43200},
		"DelaySeconds":                  {0, 0, 900},
		"MessageRetentionPeriod":        {345600, 60, 1209600},
		"ReceiveMessageWaitTimeSeconds": {0, 0, 20},
	}
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

type redrivePolicy struct {
	Target string `json:"deadLetterTargetArn"`
	// Max is a number or, as some tools write it, a number in quotes.
	Max json.Number `json:"maxReceiveCount"`
}

func (q *queue) redrive() (redrivePolicy, bool) {
	var p redrivePolicy
	if q.attributes["RedrivePolicy"] == "" || json.Unmarshal([]byte(q.attributes["RedrivePolicy"]), &p) != nil {
		return p, false
	}
	return p, true
}

// seconds reads a numeric attribute, or its default where it is not set.
func (q *queue) seconds(name string) time.Duration {
	n, err := strconv.Atoi(q.attributes[name])
	if err != nil {
		n = settable()[name].fallback
	}
	return time.Duration(n) * time.Second
}

func (s *Service) checkAttributes(in map[string]string) error {
	for name, value := range in {
		if name == "RedrivePolicy" {
			if err := s.checkRedrive(value); err != nil {
				return err
			}
			continue
		}
		bounds, ok := settable()[name]
		if !ok {
			return awsjson.Errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if n, err := strconv.Atoi(value); err != nil || n < bounds.low || n > bounds.high {
			return awsjson.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
	}
	return nil
}

// checkRedrive accepts an empty policy, which removes the one set before.
func (s *Service) checkRedrive(value string) error {
	if value == "" {
		return nil
	}
	var p redrivePolicy
	n, err := 0, json.Unmarshal([]byte(value), &p)
	if err == nil {
		n, err = strconv.Atoi(strings.Trim(p.Max.String(), `"`))
	}
	if err != nil || n < 1 || n > 1000 {
		return awsjson.Errorf("InvalidAttributeValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Redrive policy is not a valid JSON map.", value)
	}
	if _, err := s.byARN(p.Target); err != nil {
		return awsjson.Errorf("InvalidAttributeValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", value)
	}
	return nil
}

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
}

type queueURLOutput struct{ QueueUrl string }

func (s *Service) createQueue(_ context.Context, in createQueueInput) (queueURLOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !queueName.MatchString(in.QueueName) {
		return queueURLOutput{}, awsjson.Errorf("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if err := s.checkAttributes(in.Attributes); err != nil {
		return queueURLOutput{}, err
	}
	if q, ok := s.queues[in.QueueName]; ok {
		for k, v := range in.Attributes {
			if q.attributes[k] != v {
				return queueURLOutput{}, &awsjson.Error{Code: "QueueNameExists", Message: "A queue already exists with the same name and a different value for attribute " + k, QueryCode: "QueueAlreadyExists"}
			}
		}
		return queueURLOutput{s.url(q.name)}, nil
	}
	q := newQueue(in.QueueName)
	for name, a := range settable() {
		q.attributes[name] = strconv.Itoa(a.fallback)
	}
	maps.Copy(q.attributes, in.Attributes)
	if err := s.write(record{Queue: q.name, Create: q.snapshot()}); err != nil {
		return queueURLOutput{}, err
	}
	s.queues[q.name] = q
	return queueURLOutput{s.url(q.name)}, nil
}

func (s *Service) queueURL(_ context.Context, in struct{ QueueName string }) (queueURLOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byName(in.QueueName)
	if err != nil {
		return queueURLOutput{}, err
	}
	return queueURLOutput{s.url(q.name)}, nil
}

type attributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

type attributesOutput struct{ Attributes map[string]string }

func (s *Service) queueAttributes(_ context.Context, in attributesInput) (attributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return attributesOutput{}, err
	}
	all := maps.Clone(q.attributes)
	n := q.counts(s.opts.Now())
	all["QueueArn"] = s.arn(q.name)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(n.visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(n.inFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(n.delayed)
	if !slices.Contains(in.AttributeNames, "All") {
		maps.DeleteFunc(all, func(name, _ string) bool { return !slices.Contains(in.AttributeNames, name) })
	}
	return attributesOutput{all}, nil
}

// counts are the messages of a queue by state.
type counts struct{ visible, inFlight, delayed int }

func (q *queue) counts(now time.Time) counts {
	var n counts
	for _, m := range q.messages {
		switch m.state(now) {
		case inFlight:
			n.inFlight++
		case delayed:
			n.delayed++
		default:
			n.visible++
		}
	}
	return n
}

type setAttributesInput struct {
	QueueUrl   string
	Attributes map[string]string
}

func (s *Service) setQueueAttributes(_ context.Context, in setAttributesInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return empty{}, err
	}
	if err := s.checkAttributes(in.Attributes); err != nil {
		return empty{}, err
	}
	maps.Copy(q.attributes, in.Attributes)
	maps.DeleteFunc(q.attributes, func(_, v string) bool { return v == "" })
	return empty{}, s.write(record{Queue: q.name, Create: q.snapshot()})
}

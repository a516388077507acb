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

// defaults are the attributes of a queue nobody configured, and with that the
// attributes that may be set.
func defaults() map[string]string {
	return map[string]string{
		"VisibilityTimeout": "30", "DelaySeconds": "0", "MaximumMessageSize": strconv.Itoa(MaxMessageBytes),
		"MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
	}
}

// ranges bounds the numeric attributes.
var ranges = map[string][2]int{
	"VisibilityTimeout": {0, 43200}, "DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, MaxMessageBytes},
	"MessageRetentionPeriod": {60, 1209600}, "ReceiveMessageWaitTimeSeconds": {0, 20},
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$|^[A-Za-z0-9_-]{1,75}\.fifo$`)

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

func (q *queue) seconds(attribute string) time.Duration {
	n, err := strconv.Atoi(q.attributes[attribute])
	if err != nil {
		n, _ = strconv.Atoi(defaults()[attribute])
	}
	return time.Duration(n) * time.Second
}

func (s *Service) checkAttributes(name string, in map[string]string) error {
	for k, v := range in {
		if r, ok := ranges[k]; ok {
			if n, err := strconv.Atoi(v); err != nil || n < r[0] || n > r[1] {
				return &awsjson.Error{Code: "InvalidAttributeValue", Message: "Invalid value for the parameter " + k + ".", QueryCode: "InvalidAttributeValue"}
			}
			continue
		}
		switch k {
		case "RedrivePolicy":
			if v == "" {
				continue
			}
			var p redrivePolicy
			n, err := 0, json.Unmarshal([]byte(v), &p)
			if err == nil {
				n, err = strconv.Atoi(strings.Trim(p.Max.String(), `"`))
			}
			if err != nil || n < 1 || n > 1000 {
				return awsjson.Errorf("InvalidAttributeValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Redrive policy is not a valid JSON map.", v)
			}
			target, err := s.byARN(p.Target)
			if err != nil {
				return awsjson.Errorf("InvalidAttributeValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", v)
			}
			if target.fifo() != strings.HasSuffix(name, ".fifo") {
				return awsjson.Errorf("InvalidAttributeValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.", v)
			}
		case "FifoQueue", "ContentBasedDeduplication":
			if !strings.HasSuffix(name, ".fifo") {
				return awsjson.Errorf("InvalidAttributeName", "Unknown Attribute %s.", k)
			}
		case "Policy", "RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "DeduplicationScope", "FifoThroughputLimit":
		default:
			return awsjson.Errorf("InvalidAttributeName", "Unknown Attribute %s.", k)
		}
	}
	return nil
}

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type queueURLOutput struct{ QueueUrl string }

func (s *Service) createQueue(_ context.Context, in createQueueInput) (queueURLOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !queueName.MatchString(in.QueueName) {
		return queueURLOutput{}, awsjson.Errorf("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if strings.HasSuffix(in.QueueName, ".fifo") != (in.Attributes["FifoQueue"] == "true") {
		return queueURLOutput{}, awsjson.Errorf("InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	}
	if err := s.checkAttributes(in.QueueName, in.Attributes); err != nil {
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
	q := newQueue(in.QueueName, s.opts.Now())
	q.attributes = defaults()
	maps.Copy(q.attributes, in.Attributes)
	q.tags = in.Tags
	if err := s.write(record{Queue: q.name, Create: q.snapshot()}); err != nil {
		return queueURLOutput{}, err
	}
	s.queues[q.name] = q
	return queueURLOutput{s.url(q.name)}, nil
}

type queueInput struct{ QueueUrl string }

func (s *Service) deleteQueue(_ context.Context, in queueInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return empty{}, err
	}
	if err := s.write(record{Queue: q.name, Drop: true}); err != nil {
		return empty{}, err
	}
	delete(s.queues, q.name)
	q.wake()
	return empty{}, nil
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

type listQueuesOutput struct{ QueueUrls []string }

func (s *Service) listQueues(_ context.Context, in struct{ QueueNamePrefix string }) (listQueuesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out listQueuesOutput
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			out.QueueUrls = append(out.QueueUrls, s.url(name))
		}
	}
	return out, nil
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
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(n.visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(n.inFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(n.delayed)
	if slices.Contains(in.AttributeNames, "All") {
		return attributesOutput{all}, nil
	}
	out := attributesOutput{map[string]string{}}
	for _, name := range in.AttributeNames {
		if v, ok := all[name]; ok {
			out.Attributes[name] = v
		}
	}
	return out, nil
}

// tally counts a queue's messages by what may be done with them.
type tally struct{ visible, inFlight, delayed int }

func (q *queue) counts(now time.Time) tally {
	var n tally
	for _, m := range q.messages {
		switch {
		case m.inFlight(now):
			n.inFlight++
		case m.VisibleAt.After(now):
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
	if err := s.checkAttributes(q.name, in.Attributes); err != nil {
		return empty{}, err
	}
	maps.Copy(q.attributes, in.Attributes)
	maps.DeleteFunc(q.attributes, func(_, v string) bool { return v == "" })
	q.modified = s.opts.Now()
	return empty{}, s.write(record{Queue: q.name, Create: q.snapshot()})
}

func (s *Service) purgeQueue(_ context.Context, in queueInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return empty{}, err
	}
	var seqs []int64
	for _, m := range q.messages {
		seqs = append(seqs, m.Seq)
	}
	if err := s.write(record{Queue: q.name, Delete: seqs}); err != nil {
		return empty{}, err
	}
	q.messages = nil
	return empty{}, nil
}

type tagsInput struct {
	QueueUrl string
	Tags     map[string]string
}

func (s *Service) tagQueue(_ context.Context, in tagsInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return empty{}, err
	}
	if q.tags == nil {
		q.tags = map[string]string{}
	}
	maps.Copy(q.tags, in.Tags)
	return empty{}, s.write(record{Queue: q.name, Create: q.snapshot()})
}

type tagsOutput struct{ Tags map[string]string }

func (s *Service) listTags(_ context.Context, in queueInput) (tagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return tagsOutput{}, err
	}
	return tagsOutput{maps.Clone(q.tags)}, nil
}

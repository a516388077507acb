package s3

import (
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/journal"
)

// notifications are the rules of the buckets that say which queues hear of new objects.
type notifications struct {
	kept *journal.State
	seq  atomic.Uint64

	mu      sync.Mutex
	buckets map[string][]queueRule
}

// queueRule is a QueueConfiguration of the API.
type queueRule struct {
	ID     string   `xml:"Id" json:"id"`
	Queue  string   `xml:"Queue" json:"queue"`
	Events []string `xml:"Event" json:"events"`
	Filter []rule   `xml:"Filter>S3Key>FilterRule" json:"filter,omitempty"`
}

type rule struct {
	Name  string `xml:"Name" json:"name"`
	Value string `xml:"Value" json:"value"`
}

type notificationXML struct {
	XMLName xml.Name    `xml:"NotificationConfiguration"`
	Queues  []queueRule `xml:"QueueConfiguration"`
	Topics  []struct{}  `xml:"TopicConfiguration"`
	Lambdas []struct{}  `xml:"CloudFunctionConfiguration"`
}

func newNotifications(opts Options) (*notifications, error) {
	n := &notifications{buckets: map[string][]queueRule{}}
	n.seq.Store(uint64(opts.Now().UnixNano()))
	var err error
	n.kept, err = journal.NewState(opts.Dir, "notifications.json", &n.buckets)
	return n, err
}

func (s *Service) putNotification(w http.ResponseWriter, r *http.Request, c call, body []byte) {
	if ok, err := s.backend.BucketExists(c.bucket); err != nil || !ok {
		writeError(w, r, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	n := s.events
	n.mu.Lock()
	defer n.mu.Unlock()
	var in notificationXML
	if err := xml.Unmarshal(body, &in); err != nil {
		writeError(w, r, http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		return
	}
	if len(in.Topics)+len(in.Lambdas) > 0 {
		writeError(w, r, http.StatusNotImplemented, "NotImplemented", "The local stand-in notifies queues only.")
		return
	}
	for _, q := range in.Queues {
		if !s.opts.Queues.HasQueue(q.Queue) || len(q.Events) == 0 {
			writeError(w, r, http.StatusBadRequest, "InvalidArgument", "Unable to validate the following destination configurations")
			return
		}
	}
	n.buckets[c.bucket] = in.Queues
	if err := n.kept.Save(n.buckets); err != nil {
		writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	for _, q := range in.Queues {
		test := map[string]string{
			"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": s.opts.Now().UTC().Format(eventTime),
			"Bucket": c.bucket, "RequestId": uuid.NewString(), "HostId": "local-stand-in",
		}
		raw, _ := json.Marshal(test)
		if err := s.opts.Queues.Send(q.Queue, string(raw)); err != nil {
			writeError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
	}
}

const eventTime = "2006-01-02T15:04:05.000Z"

func (q queueRule) wants(event, key string) bool {
	for _, f := range q.Filter {
		switch strings.ToLower(f.Name) {
		case "prefix":
			if !strings.HasPrefix(key, f.Value) {
				return false
			}
		case "suffix":
			if !strings.HasSuffix(key, f.Value) {
				return false
			}
		}
	}
	for _, e := range q.Events {
		if e == "s3:"+event || strings.HasSuffix(e, ":*") && strings.HasPrefix("s3:"+event, strings.TrimSuffix(e, "*")) {
			return true
		}
	}
	return false
}

// created tells the bucket's queues of a new object. A message to a queue that does not exist is lost, as with the
// service.
func (s *Service) created(bucket, key string) {
	n := s.events
	n.mu.Lock()
	rules := n.buckets[bucket]
	n.mu.Unlock()
	const event = "ObjectCreated:Put"
	for _, q := range rules {
		if !q.wants(event, key) {
			continue
		}
		object, err := s.backend.HeadObject(bucket, key)
		if err != nil {
			return
		}
		_ = object.Contents.Close()
		raw, _ := json.Marshal(s.event(q, event, bucket, key, object.Size, hex.EncodeToString(object.Hash)))
		_ = s.opts.Queues.Send(q.Queue, string(raw))
	}
}

func (s *Service) event(q queueRule, event, bucket, key string, size int64, etag string) any {
	type object = map[string]any
	return object{"Records": []object{{
		"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": s.opts.Region,
		"eventTime": s.opts.Now().UTC().Format(eventTime), "eventName": event,
		"userIdentity":      object{"principalId": "AWS:LOCALSTANDIN"},
		"requestParameters": object{"sourceIPAddress": "127.0.0.1"},
		"responseElements":  object{"x-amz-request-id": uuid.NewString(), "x-amz-id-2": "local-stand-in"},
		"s3": object{
			"s3SchemaVersion": "1.0", "configurationId": q.ID,
			"bucket": object{"name": bucket, "ownerIdentity": object{"principalId": "LOCALSTANDIN"}, "arn": "arn:aws:s3:::" + bucket},
			"object": object{"key": escapeKey(key), "size": size, "eTag": etag, "sequencer": fmt.Sprintf("%016X", s.events.seq.Add(1))},
		},
	}}}
}

// escapeKey encodes a key as S3 does in events: a space becomes "+", "/" stays.
func escapeKey(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

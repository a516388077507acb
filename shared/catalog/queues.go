package catalog

import "time"

// QueueName is a queue of the system. The function of the same name consumes it.
type QueueName string

// The queues.
const (
	Images   QueueName = "images"   // S3 events: a picture has arrived
	Validate QueueName = "validate" // a report and its picture are to be judged by AI
	Anchor   QueueName = "anchor"   // an event is to be published in the log
	Notify   QueueName = "notify"   // a person is to be told of something
	Geocode  QueueName = "geocode"  // the address of a report is to be looked up
	Webhooks QueueName = "webhooks" // an event is to be sent to an address that an administrator named
	Fetch    QueueName = "fetch"    // a picture is to be fetched from an address that another system named
)

// Limits that are the same for every queue.
const (
	// MaxReceives is how often a message is delivered. If the last delivery fails too, the message goes to the dead letters.
	// The waits between them are 14 to 28 hours: an outage of hours makes no dead letters.
	MaxReceives = 120
	// FirstBackoff and MaxBackoff are the waits after the first failed delivery, and the longest. See shared/queue.
	FirstBackoff = 2 * time.Second
	MaxBackoff   = 15 * time.Minute
	// Retention is how long a message may stay in a queue or among its dead letters: the most that SQS allows.
	Retention = 14 * 24 * time.Hour
	// LongPoll is how long one receive waits for a message: the most that SQS allows.
	LongPoll = 20 * time.Second
	// MaxBatch is the most messages that SQS takes or gives in one call.
	MaxBatch = 10
	// MaxDelay is the longest delay of a message that SQS allows.
	MaxDelay = 15 * time.Minute
	// The visibility timeout is visibilityFactor times the function's timeout, as Lambda's documentation asks: Lambda may
	// keep a batch for a while when the function is at its concurrency.
	visibilityFactor = 6
)

// QueueSpec is a queue with its limits.
type QueueSpec struct {
	Name QueueName
	// Batch is the most messages of one call, up to MaxBatch.
	Batch int
	// Concurrency is the most calls of the consumer at the same time. It protects the services that the consumer calls.
	Concurrency int
	// Window is how long Lambda waits for a batch to fill; 0 does not wait.
	Window time.Duration
}

// Queues lists every queue.
func Queues() []QueueSpec {
	return []QueueSpec{
		{Name: Images, Batch: 2, Concurrency: 10},
		{Name: Validate, Batch: 2, Concurrency: 5},
		{Name: Anchor, Batch: 10, Concurrency: 2, Window: time.Second}, // one round works at a time; SQS knows no lower concurrency
		{Name: Notify, Batch: 5, Concurrency: 4},
		{Name: Geocode, Batch: 1, Concurrency: 2},
		{Name: Webhooks, Batch: 5, Concurrency: 5},
		{Name: Fetch, Batch: 1, Concurrency: 2},
	}
}

// QueueNames lists the names of all queues, in the order of Queues.
func QueueNames() []QueueName {
	var out []QueueName
	for _, q := range Queues() {
		out = append(out, q.Name)
	}
	return out
}

// Dead is the name of the queue with the dead letters of n.
func (n QueueName) Dead() QueueName { return n + "-dead" }

// Consumer is the function that handles the messages of the queue.
func (q QueueSpec) Consumer() Function {
	f, _ := Find(FunctionName(q.Name)) // a test checks that each queue has one
	return f
}

// Visibility is how long a received message stays hidden if its call gives no answer. After an answer that it failed it stays
// hidden for the wait that the consumer chose.
func (q QueueSpec) Visibility() time.Duration {
	return visibilityFactor * (q.Consumer().Timeout + q.Window)
}

// Life is the longest time from the sending of a message until it is handled or among the dead letters: the longest delay,
// and for each delivery the time of the call and the wait after it, or the visibility timeout when the call gave no answer. A
// queue with a backlog can take longer.
func (q QueueSpec) Life() time.Duration {
	return MaxDelay + MaxReceives*max(q.Visibility(), q.Consumer().Timeout+q.Window+MaxBackoff)
}

// MessageLife is the longest Life of all queues. After this time a message is handled or among the dead letters; before
// that it may still be delivered.
func MessageLife() time.Duration {
	var longest time.Duration
	for _, q := range Queues() {
		longest = max(longest, q.Life())
	}
	return longest
}

// BucketTrigger has S3 send an event to a queue for each new object whose key begins with Prefix.
type BucketTrigger struct {
	Prefix string
	Event  string // as S3 names it
	Queue  QueueName
}

// OriginalsPrefix begins the key of each picture as it was uploaded.
const OriginalsPrefix = "originals/"

// PictureArrived sends an event for each uploaded picture to the queue images. Renditions have another prefix: their events
// would make the images function process its own output.
func PictureArrived() BucketTrigger {
	return BucketTrigger{Prefix: OriginalsPrefix, Event: "s3:ObjectCreated:*", Queue: Images}
}

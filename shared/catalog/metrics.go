package catalog

// Namespace is the CloudWatch namespace of the metrics that the functions of a stage emit. Each stage has its own, so that two
// stages in one account do not share alarms.
func Namespace(stage string) string { return "LafaekStreet/" + stage }

// Unit is a unit of CloudWatch.
type Unit string

// Units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
	Percent      Unit = "Percent"
)

// Metric is a metric that the functions emit: one of the constants below.
type Metric int

// The metrics. A new one needs its line here, its line in the table of names, and code that emits it.
const (
	ServerErrors     Metric = iota // answers with a status of 500 or more
	CacheUnavailable               // calls of the cache that failed
	GeocoderFailures               // calls of the geocoder that failed

	MessageRetried // deliveries that failed and will be repeated
	MessageFailing // those of them whose message has failed for about an hour
	MessageDead    // messages that went to the dead letters

	OutboxMessages  // messages in the outbox that are due or could not be sent
	OutboxAge       // age of the oldest of them
	OutboxSwept     // messages that relay sent because the function that wrote them had not
	RelayTaskFailed // tasks of relay that failed

	ValidateLag         // how long the oldest report has waited for its verdict
	ValidateCompleted   // verdicts: the report was accepted
	ValidateRejected    // verdicts: the report was rejected
	ValidateNeedsReview // verdicts: a person has to decide
	ValidateMalformed   // answers of the model that could not be read
	ValidateBudgetSpent // reports that went to a person because the budget of the month or the day is used up
	ValidatePersonSpent // reports that went to a person because their author's budget of the day is used up
	AIBudgetUsed        // share of the AI budget that is used up, of the month or the day
	ValidateDead        // reports whose message went to the dead letters
	ReportsAIFailed     // pending reports that the AI could not judge

	LogLag                  // age of the oldest event that is not in the published log
	LogDamaged              // rounds that found the published log other than it was signed
	LogHalted               // rounds that found more events published than the database has
	AnchorLag               // how long the oldest event has waited for its confirmation by the ledger
	LedgerSubmitted         // messages that a node of the ledger accepted
	LedgerConfirmed         // messages that the mirror node shows as we sent them
	LedgerConfirmationDelay // from the consensus time of a message to its confirmation
	LedgerRetry             // steps towards the ledger that failed and will be repeated
	LedgerHalted            // refusals by the ledger that only an operator can end
	LedgerContradicted      // messages that the mirror node shows otherwise than we sent them
	ReceiptsMissing         // receipts that were not given: the function does not get the key in force

	PictureRefused  // uploads that are no picture we accept
	PictureDuration // time for making the renditions of a picture

	NotifyMailSent    // notifications that the mail server accepted
	NotifyMailDelayed // notifications that the mail server did not take now
	NotifyMailFailed  // notifications that the mail server refused for good
	NotifyMailUnknown // notifications that the mail server may have taken; they are not sent again
	NotifyPushSent    // the same for push
	NotifyPushDelayed
	NotifyPushFailed
	NotifyPushUnknown
	MailStale        // mails with a code or link that arrived too late to be of use, and were dropped
	MailRefused      // mails with a code or link that the mail server refused for good
	PushTokenDropped // push tokens that are no longer registered, and were deleted

	WebhookCallFailed // calls of webhooks that failed
	WebhookParked     // deliveries of webhooks that were given up

	ExportFailures // runs of export that failed
	ExportDuration // time for writing one file of open data

	DigestDuration // time of a finished run of digest

	metricCount // how many there are
)

// Name is what CloudWatch calls the metric: words in lower case, joined by underscores. It is empty for a number that is
// no metric.
func (m Metric) Name() string {
	if m < 0 || m >= metricCount {
		return ""
	}
	return metricTable[m].name
}

// Unit is the unit of the metric's values.
func (m Metric) Unit() Unit {
	if m < 0 || m >= metricCount {
		return ""
	}
	return metricTable[m].unit
}

// Metrics lists every metric.
func Metrics() []Metric {
	out := make([]Metric, metricCount)
	for i := range out {
		out[i] = Metric(i)
	}
	return out
}

type metricEntry struct {
	name string
	unit Unit
}

// metricTable has the name and unit of each metric. It is read only.
var metricTable = [metricCount]metricEntry{
	ServerErrors:     {"server_errors", Count},
	CacheUnavailable: {"cache_unavailable", Count},
	GeocoderFailures: {"geocoder_failures", Count},

	MessageRetried: {"message_retried", Count},
	MessageFailing: {"message_failing", Count},
	MessageDead:    {"message_dead", Count},

	OutboxMessages:  {"outbox_messages", Count},
	OutboxAge:       {"outbox_age", Seconds},
	OutboxSwept:     {"outbox_swept", Count},
	RelayTaskFailed: {"relay_task_failed", Count},

	ValidateLag:         {"validate_lag", Seconds},
	ValidateCompleted:   {"validate_completed", Count},
	ValidateRejected:    {"validate_rejected", Count},
	ValidateNeedsReview: {"validate_needs_review", Count},
	ValidateMalformed:   {"validate_malformed", Count},
	ValidateBudgetSpent: {"validate_budget_spent", Count},
	ValidatePersonSpent: {"validate_person_spent", Count},
	AIBudgetUsed:        {"ai_budget_used", Percent},
	ValidateDead:        {"validate_dead", Count},
	ReportsAIFailed:     {"reports_ai_failed", Count},

	LogLag:                  {"log_lag", Seconds},
	LogDamaged:              {"log_damaged", Count},
	LogHalted:               {"log_halted", Count},
	AnchorLag:               {"anchor_lag", Seconds},
	LedgerSubmitted:         {"ledger_submitted", Count},
	LedgerConfirmed:         {"ledger_confirmed", Count},
	LedgerConfirmationDelay: {"ledger_confirmation_delay", Seconds},
	LedgerRetry:             {"ledger_retry", Count},
	LedgerHalted:            {"ledger_halted", Count},
	LedgerContradicted:      {"ledger_contradicted", Count},
	ReceiptsMissing:         {"receipts_missing", Count},

	PictureRefused:  {"picture_refused", Count},
	PictureDuration: {"picture_duration", Milliseconds},

	NotifyMailSent:    {"notify_mail_sent", Count},
	NotifyMailDelayed: {"notify_mail_delayed", Count},
	NotifyMailFailed:  {"notify_mail_failed", Count},
	NotifyMailUnknown: {"notify_mail_unknown", Count},
	NotifyPushSent:    {"notify_push_sent", Count},
	NotifyPushDelayed: {"notify_push_delayed", Count},
	NotifyPushFailed:  {"notify_push_failed", Count},
	NotifyPushUnknown: {"notify_push_unknown", Count},
	MailStale:         {"mail_stale", Count},
	MailRefused:       {"mail_refused", Count},
	PushTokenDropped:  {"push_token_dropped", Count},

	WebhookCallFailed: {"webhook_call_failed", Count},
	WebhookParked:     {"webhook_parked", Count},

	ExportFailures: {"export_failures", Count},
	ExportDuration: {"export_duration", Milliseconds},

	DigestDuration: {"digest_duration", Milliseconds},
}

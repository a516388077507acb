package catalog

import "time"

// Missing says what CloudWatch takes a period without any value for.
type Missing string

// What a period without a value can be.
const (
	NotBreaching Missing = "notBreaching" // all is well
	Breaching    Missing = "breaching"    // something that has to happen did not
)

// Alarm fires when its signal has been at the threshold or beyond it for Periods periods: in a row, or of the last Of ones.
type Alarm struct {
	// Name is the last part of the alarm's name and its entry in infra/RUNBOOK.md. In a scope that begins with Each it
	// contains the scope's placeholder.
	Name string
	// Description is one sentence on what has happened.
	Description string
	Signal      Signal
	// Formula computes the value from the signals of Terms, by name; it takes the place of Signal when it is not empty.
	Formula   string
	Terms     map[string]Signal
	Threshold float64
	// Below makes the alarm fire when the value is less than Threshold; otherwise it fires at Threshold and above.
	Below   bool
	Period  time.Duration
	Periods int
	Of      int // 0: in a row
	Missing Missing
	// Repair is what EC2 does with the NAT instance when the alarm begins; empty is nothing.
	Repair Repair
}

// Repair is an action of EC2.
type Repair string

// Repairs in use.
const (
	Recover Repair = "recover" // moves the instance to other hardware; its id and disk stay
	Reboot  Repair = "reboot"
)

// For is the alarm of one queue or function of its scope.
func (a Alarm) For(name string) Alarm {
	a.Name, a.Description = a.Signal.Scope.named(a.Name, name), a.Signal.Scope.named(a.Description, name)
	return a
}

// Alarms lists every alarm.
func Alarms() []Alarm {
	var out []Alarm
	for _, group := range [][]Alarm{apiAlarms(), queueAlarms(), functionAlarms(), systemAlarms(), silenceAlarms(), databaseAlarms(), natAlarms()} {
		out = append(out, group...)
	}
	return out
}

const fiveMinutes = 5 * time.Minute

func apiAlarms() []Alarm {
	return []Alarm{
		{Name: "api-errors", Description: "More than 2 % of the requests were answered with a 5xx, or five requests where fewer than 50 came.",
			Formula:   "IF(all >= 50, 100 * faults / all, IF(faults >= 5, 100, 0))",
			Terms:     map[string]Signal{"faults": aws(API, "5xx", Sum), "all": aws(API, "Count", Sum)},
			Signal:    Signal{Scope: API},
			Threshold: 2, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
		{Name: "api-latency", Description: "One request in a hundred takes longer than 3 seconds.",
			Signal: aws(API, "Latency", P99), Threshold: 3000, Period: fiveMinutes, Periods: 3, Missing: NotBreaching},
	}
}

func queueAlarms() []Alarm {
	return []Alarm{
		{Name: "QUEUE-dead-letters", Description: "Messages of QUEUE went to its dead letters.",
			Signal: aws(EachDead, "ApproximateNumberOfMessagesVisible", Maximum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "QUEUE-waiting", Description: "A message of QUEUE has waited for half an hour.",
			Signal: aws(EachQueue, "ApproximateAgeOfOldestMessage", Maximum), Threshold: 1800, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
	}
}

// functionAlarms watch the functions that no client calls, and the live versions of the HTTP functions.
func functionAlarms() []Alarm {
	return []Alarm{
		{Name: "WORKER-errors", Description: "The function WORKER crashes or reaches its time limit.",
			Signal: aws(EachWorker, "Errors", Sum), Threshold: 3, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "FUNCTION-failing", Description: "The live version of FUNCTION crashes or reaches its time limit. A deployment in progress is rolled back.",
			Signal: aws(EachRelease, "Errors", Sum), Threshold: 1, Period: time.Minute, Periods: 2, Missing: NotBreaching},
		// At night a new version gets one request in ten, perhaps one a minute.
		{Name: "FUNCTION-answers-5xx", Description: "The live version of FUNCTION answered with a 5xx in two of five minutes. A deployment in progress is rolled back.",
			Signal: Signal{Scope: EachRelease, Metric: ServerErrors, Statistic: Sum}, Threshold: 1, Period: time.Minute, Periods: 2, Of: 5, Missing: NotBreaching},
		{Name: "throttles", Description: "Lambda refuses calls: the concurrency of the account is used up.",
			Signal: aws(Account, "Throttles", Sum), Threshold: 10, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
	}
}

// systemAlarms watch the metrics that the functions emit.
func systemAlarms() []Alarm {
	return []Alarm{
		{Name: "server-errors", Description: "Functions answered ten requests with a 5xx of their own.",
			Signal: own(ServerErrors, Sum), Threshold: 10, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "outbox-age", Description: "Messages have waited in the outbox for five minutes; relay does not send them.",
			Signal: own(OutboxAge, Maximum), Threshold: 300, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
		// A message that fails is delivered each quarter of an hour. QUEUE-waiting does not see it: AWS leaves a message that was
		// delivered three times out of the age of the oldest.
		{Name: "messages-failing", Description: "A message has failed at each delivery for about an hour.",
			Signal: own(MessageFailing, Sum), Threshold: 1, Period: 30 * time.Minute, Periods: 1, Missing: NotBreaching},
		// Half of the promise that each receipt makes (ledger.MergeDelay).
		{Name: "log-lag", Description: "An event has waited half an hour to be in the published log. After an hour the promise of its receipt is broken.",
			Signal: own(LogLag, Maximum), Threshold: 1800, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "promise-broken", Description: "An event has waited an hour to be in the published log: the promise of its receipt is broken.",
			Signal: own(LogLag, Maximum), Threshold: 3600, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "log-damaged", Description: "The published log is not what was signed. It is not extended.",
			Signal: own(LogDamaged, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "log-halted", Description: "More events are published than the database has: a backup was restored. Writes are answered with 503.",
			Signal: own(LogHalted, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "ledger-lag", Description: "An event has waited half an hour for its confirmation by the ledger.",
			Signal: own(AnchorLag, Maximum), Threshold: 1800, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
		{Name: "ai-lag", Description: "A report has waited half an hour for its verdict.",
			Signal: own(ValidateLag, Maximum), Threshold: 1800, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
		{Name: "ledger-halted", Description: "The ledger refuses our messages: wrong key or no funds. Nothing is lost, and nothing is anchored.",
			Signal: own(LedgerHalted, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "ledger-contradicted", Description: "The mirror node shows something other than what we sent.",
			Signal: own(LedgerContradicted, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "receipts-missing", Description: "Answers have had no receipt for ten minutes: functions do not get the receipts key that is in force.",
			Signal: own(ReceiptsMissing, Sum), Threshold: 1, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
		{Name: "ai-budget-near", Description: "80 % of the AI budget of the month or the day are used up.",
			Signal: own(AIBudgetUsed, Maximum), Threshold: 80, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "ai-budget", Description: "The AI budget of the month or the day is used up: new reports wait for people.",
			Signal: own(ValidateBudgetSpent, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "mail-refused", Description: "The mail server refused a mail with a code or link for good: nobody can register or sign in by mail.",
			Signal: own(MailRefused, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "mail-stale", Description: "A mail with a code or link was given up: it could not be sent before the code ended.",
			Signal: own(MailStale, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "cache-unavailable", Description: "The cache does not answer; each function counts rate limits by itself.",
			Signal: own(CacheUnavailable, Sum), Threshold: 100, Period: fiveMinutes, Periods: 2, Missing: NotBreaching},
		{Name: "webhook-parked", Description: "Calls of a webhook were given up: its receiver failed for a day, or said that it is gone.",
			Signal: own(WebhookParked, Sum), Threshold: 1, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
		{Name: "export-failing", Description: "The files of open data are not renewed.",
			Signal: own(ExportFailures, Sum), Threshold: 2, Period: fiveMinutes, Periods: 1, Missing: NotBreaching},
	}
}

// silenceAlarms fire when a scheduled function has not finished a run: its rule is switched off, or its runs never end.
// Lambda counts no error then. The alarms fire because a metric is missing that each finished run emits.
func silenceAlarms() []Alarm {
	return []Alarm{
		{Name: "relay-silent", Description: "relay has not finished a run for 15 minutes: nothing is swept, woken or expired, and the alarms on its figures cannot fire.",
			Signal: own(OutboxAge, SampleCount), Threshold: 1, Below: true, Period: fiveMinutes, Periods: 3, Missing: Breaching},
		// A run may take a quarter of the hour after the one it belongs to.
		{Name: "export-silent", Description: "export has not finished a run for hours: the files of open data are old.",
			Signal: own(ExportDuration, SampleCount), Threshold: 1, Below: true, Period: time.Hour, Periods: 4, Missing: Breaching},
		// More than a day: the run of this morning must have been counted before that of yesterday leaves the hours looked at.
		{Name: "digest-silent", Description: "digest has not finished a run for a day: staff and people with alerts did not get the mail of the morning.",
			Signal: own(DigestDuration, SampleCount), Threshold: 1, Below: true, Period: time.Hour, Periods: 26, Missing: Breaching},
	}
}

func databaseAlarms() []Alarm {
	return []Alarm{
		{Name: "database-full", Description: "The database has been at its largest capacity for 15 minutes.",
			Signal: aws(Database, "ACUUtilization", Average), Threshold: 95, Period: fiveMinutes, Periods: 3, Missing: NotBreaching},
		{Name: "database-connections", Description: "The database has more than 150 open connections.",
			Signal: aws(Database, "DatabaseConnections", Maximum), Threshold: 150, Period: fiveMinutes, Periods: 3, Missing: NotBreaching},
	}
}

// natAlarms watch the NAT instance. EC2 sends their figures each minute; none comes from an instance that is stopped or gone.
func natAlarms() []Alarm {
	return []Alarm{
		{Name: "nat-down", Description: "The NAT instance fails its checks, or is stopped or gone: functions reach nothing outside of their network but S3.",
			Signal: aws(Nat, "StatusCheckFailed", Maximum), Threshold: 1, Period: time.Minute, Periods: 5, Missing: Breaching},
		{Name: "nat-host", Description: "The hardware below the NAT instance has failed. EC2 moves the instance to other hardware.",
			Signal: aws(Nat, "StatusCheckFailed_System", Maximum), Threshold: 1, Period: time.Minute, Periods: 2, Missing: NotBreaching, Repair: Recover},
		{Name: "nat-instance", Description: "The operating system of the NAT instance does not answer. EC2 restarts it.",
			Signal: aws(Nat, "StatusCheckFailed_Instance", Maximum), Threshold: 1, Period: time.Minute, Periods: 3, Missing: NotBreaching, Repair: Reboot},
	}
}

package catalog

import (
	"strings"
)

// Scope says what a Signal measures.
type Scope int

// Scopes. A scope that begins with Each has one signal for each queue or function.
const (
	System       Scope = iota // a metric that the functions emit, over all of them
	API                       // the HTTP API
	Account                   // Lambda in the whole account
	Database                  // the database of the managed profile
	Nat                       // the NAT instance of the managed profile
	EachQueue                 // each queue
	EachDead                  // the dead letters of each queue
	EachWorker                // each function of a queue or a schedule
	EachRelease               // the live version of each HTTP function
	EachFunction              // each function but those of a deploy
)

// Placeholder is the word in the texts of an alarm, and in its entry of the runbook, that is replaced by the name of the
// queue or function. It is empty for a scope with one signal.
func (s Scope) Placeholder() string {
	switch s {
	case EachQueue, EachDead:
		return "QUEUE"
	case EachWorker:
		return "WORKER"
	case EachRelease, EachFunction:
		return "FUNCTION"
	default:
		return ""
	}
}

// Statistic is how CloudWatch sums up the values of one period.
type Statistic string

// Statistics in use.
const (
	Sum         Statistic = "Sum"
	Maximum     Statistic = "Maximum"
	Average     Statistic = "Average"
	SampleCount Statistic = "SampleCount"
	P50         Statistic = "p50"
	P95         Statistic = "p95"
	P99         Statistic = "p99"
)

// Signal is one CloudWatch metric with a statistic.
type Signal struct {
	Scope Scope
	// Metric is what is measured in the scope System, and in EachRelease where AWS is empty.
	Metric Metric
	// Function limits Metric to what one function emits; empty is all of them.
	Function FunctionName
	// AWS is the name of AWS's own metric in the other scopes.
	AWS       string
	Statistic Statistic
}

// own is the signal of a metric that the functions emit, over all of them.
func own(m Metric, s Statistic) Signal { return Signal{Scope: System, Metric: m, Statistic: s} }

// aws is the signal of a metric of AWS itself.
func aws(scope Scope, name string, s Statistic) Signal {
	return Signal{Scope: scope, AWS: name, Statistic: s}
}

// named puts the name of a queue or function in place of the scope's placeholder.
func (s Scope) named(text, name string) string {
	if s.Placeholder() == "" {
		return text
	}
	return strings.ReplaceAll(text, s.Placeholder(), name)
}

// Graph is one diagram of a dashboard. A signal of a scope that begins with Each has a line for each queue or function.
type Graph struct {
	Title   string
	Signals []Signal
}

// Dashboard is a page of diagrams. CloudWatch charges nothing for one of at most 50 lines.
type Dashboard struct {
	Name string
	// Rows are drawn from top to bottom.
	Rows [][]Graph
	// ColdStarts adds a table of cold starts, read from the functions' logs, to the first row: Lambda has no metric of them.
	ColdStarts bool
}

// Dashboards lists every dashboard.
func Dashboards() []Dashboard {
	return []Dashboard{
		{Name: "functions", ColdStarts: true, Rows: [][]Graph{{
			{"Errors", []Signal{aws(EachFunction, "Errors", Sum)}},
			{"Duration p95, ms", []Signal{aws(EachFunction, "Duration", P95)}},
		}}},
		{Name: "system", Rows: [][]Graph{{
			{"Requests", []Signal{aws(API, "Count", Sum), aws(API, "4xx", Sum), aws(API, "5xx", Sum)}},
			{"Latency, ms", []Signal{aws(API, "Latency", P50), aws(API, "Latency", P95), aws(API, "Latency", P99)}},
		}, {
			{"Dead letters", []Signal{aws(EachDead, "ApproximateNumberOfMessagesVisible", Maximum)}},
			{"Oldest message, s", []Signal{aws(EachQueue, "ApproximateAgeOfOldestMessage", Maximum)}},
		}, {
			{"Outbox, AI, log and ledger: oldest, s", []Signal{own(OutboxAge, Maximum), own(ValidateLag, Maximum), own(LogLag, Maximum), own(AnchorLag, Maximum)}},
			{"Ledger", []Signal{own(LedgerSubmitted, Sum), own(LedgerConfirmed, Sum), own(LedgerRetry, Sum)}},
			{"AI", []Signal{
				{Scope: System, Metric: MessageRetried, Function: FunctionName(Validate), Statistic: Sum},
				own(ValidateMalformed, Sum), own(ValidateBudgetSpent, Sum), own(ValidatePersonSpent, Sum)}},
			{"AI budget used, %", []Signal{own(AIBudgetUsed, Maximum)}},
		}, {
			{"Mails with codes", []Signal{own(MailRefused, Sum), own(MailStale, Sum)}},
			{"Webhooks", []Signal{own(WebhookCallFailed, Sum), own(WebhookParked, Sum)}},
		}}},
	}
}

package catalog

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
			{"Outbox, AI and ledger: oldest, s", []Signal{own(OutboxAge, Maximum), own(ValidateLag, Maximum), own(AnchorLag, Maximum)}},
			{"Ledger", []Signal{own(LedgerSubmitted, Sum), own(LedgerConfirmed, Sum), own(LedgerRetry, Sum)}},
			{"AI", []Signal{
				{Scope: System, Metric: MessageRetried, Function: FunctionName(Validate), Statistic: Sum},
				own(ValidateMalformed, Sum), own(ValidateBudgetSpent, Sum)}},
		}}},
	}
}

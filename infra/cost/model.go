package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// The two ways to deploy.
const (
	External = "external"
	Managed  = "managed"
)

// Groups are the rows of the table, in its order.
var Groups = []string{base, compute, store, ai, proof, servers}

const (
	base    = "keys, secrets, alarms, metrics"
	compute = "Lambda, HTTP API, SQS, logs, traces"
	store   = "storage, transfer, mail"
	ai      = "AI"
	proof   = "log and ledger"
	servers = "Aurora, Valkey, NAT instance"
)

//go:embed deployed.json
var deployed []byte

// Deployed are the resources of a profile that cost by their number, counted in its templates.
type Deployed struct{ Alarms, Dashboards, Secrets, Keys, Queues int }

// ReadDeployed reads deployed.json: the resources by profile.
func ReadDeployed() (map[string]Deployed, error) {
	var d map[string]Deployed
	if err := json.Unmarshal(deployed, &d); err != nil {
		return nil, fmt.Errorf("read deployed.json: %w", err)
	}
	return d, nil
}

// Line is one kind of thing that a month is billed for.
type Line struct {
	Group    string
	Price    Price
	Quantity float64
}

// USD is what the line costs.
func (l Line) USD() float64 { return l.Price.Cost(l.Quantity) }

// Model has what the costs are computed from.
type Model struct {
	Prices   *Prices
	Measured *Measured
	Deployed map[string]Deployed
	ledger   *ledger
}

// Read reads the model's files.
func Read() (*Model, error) {
	p, err := ReadPrices()
	if err != nil {
		return nil, err
	}
	m, err := ReadMeasured()
	if err != nil {
		return nil, err
	}
	d, err := ReadDeployed()
	return &Model{Prices: p, Measured: m, Deployed: d, ledger: newLedger()}, err
}

// Month returns the lines of a month with so many reports.
func (m *Model) Month(profile string, reports int) ([]Line, error) {
	has, ok := m.Deployed[profile]
	if !ok {
		return nil, fmt.Errorf("no profile %q: external or managed", profile)
	}
	if reports < 0 || reports > maxReports {
		return nil, fmt.Errorf("%d reports: from 0 to %d", reports, maxReports)
	}
	b := &bill{model: m, reports: float64(reports), run: m.Measured.Run}
	b.base(has)
	b.compute(has)
	b.store()
	b.intelligence()
	b.proof(reports)
	if profile == Managed {
		b.servers()
	}
	return b.lines, b.err
}

// maxReports bounds the simulated month.
const maxReports = 10_000_000

// bill collects lines. It keeps the first error: a price or an assumption that the files do not have.
type bill struct {
	model   *Model
	reports float64
	run     Run
	lines   []Line
	err     error
}

func (b *bill) add(group, price string, quantity float64) {
	p, err := b.model.Prices.find(price)
	if err != nil && b.err == nil {
		b.err = err
	}
	b.lines = append(b.lines, Line{group, p, quantity})
}

// assumed is the value of an assumption.
func (b *bill) assumed(name string) float64 {
	for _, a := range b.model.Measured.Assumed {
		if a.Name == name {
			return a.Value
		}
	}
	if b.err == nil {
		b.err = fmt.Errorf("counts.json has no assumption %q", name)
	}
	return 0
}

// counted is how many of some kinds the reports need.
func (b *bill) counted(kinds ...string) float64 {
	return b.reports * b.run.each(kinds...)
}

func (b *bill) base(has Deployed) {
	b.add(base, "KMS key", float64(has.Keys))
	b.add(base, "secret", float64(has.Secrets)+b.assumed("secrets that you name"))
	b.add(base, "alarm", float64(has.Alarms))
	b.add(base, "dashboard", float64(has.Dashboards))
	metrics := "metrics at work"
	switch {
	case b.reports == 0:
		metrics = "metrics at rest"
	case b.reports >= 100_000:
		metrics = "metrics at 100,000 reports"
	}
	b.add(base, "metric", b.assumed(metrics))
}

// memory is the memory of a function in GB.
func (b *bill) memory(name catalog.FunctionName) float64 {
	f, ok := catalog.Find(name)
	if !ok && b.err == nil {
		b.err = fmt.Errorf("no function %q", name)
	}
	return float64(f.Memory) / 1024
}

// workers are the functions that a report's messages call.
var workers = []catalog.FunctionName{"images", "validate", "anchor", "notify", "geocode"}

func (b *bill) compute(has Deployed) {
	minutes, exports := float64(secondsOfMonth/60), float64(secondsOfMonth/900)
	http := b.reports * b.assumed("HTTP requests")
	time := minutes*b.assumed("seconds of relay")*b.memory("relay") +
		b.assumed("calls of export that write")*b.assumed("seconds of export")*b.memory("export") +
		http*b.assumed("seconds of HTTP functions")*b.memory("reports")
	messages := 0.0
	for _, name := range workers {
		calls := b.counted("call " + string(name))
		messages += calls
		time += calls * b.assumed("seconds of "+string(name)) * b.memory(name)
	}
	calls := minutes + exports + http + messages
	b.add(compute, "Lambda time, arm64", time)
	b.add(compute, "Lambda call", calls)
	b.add(compute, "HTTP API request", http)
	b.add(compute, "SQS request", float64(has.Queues)*b.assumed("idle requests of a queue")+b.counted("sqs SendMessageBatch", "sqs SendMessage")+
		messages*b.assumed("SQS requests a call")+b.reports*b.assumed("SQS requests for a picture"))
	b.add(compute, "logs", b.reports*b.assumed("log lines")/1e6)
	b.add(compute, "trace", sampled(calls))
}

// sampled is how many calls X-Ray keeps a trace of by its default rule: the first of each second and 5 % of the others.
func sampled(calls float64) float64 {
	first := min(calls, secondsOfMonth)
	return first + 0.05*(calls-first)
}

func (b *bill) store() {
	kept := b.assumed("picture kept") * b.assumed("months of pictures")
	b.add(store, "S3 storage", b.reports*(kept+b.assumed("picture as sent")*7/30)/1000)
	b.add(store, "S3 PUT", b.reports+b.counted("pictures PUT")) // the phone stores the picture itself
	b.add(store, "S3 GET", b.counted("pictures GET", "pictures HEAD")+b.reports*b.assumed("pictures that people fetch"))
	b.add(store, "transfer out", b.reports*b.assumed("transfer")/1000)
	b.add(store, "mail", b.counted("mail"))
}

func (b *bill) intelligence() {
	questions := b.counted("bedrock converse")
	b.add(ai, "AI token in", questions*b.assumed("tokens in"))
	b.add(ai, "AI token out", questions*b.assumed("tokens out"))
	b.add(ai, "embedding of a picture", b.counted("bedrock invoke"))
}

func (b *bill) proof(reports int) {
	checkpoints, messages := b.model.ledger.month(reports)
	signatures := float64(checkpoints)*b.assumed("signatures of checkpoints") + float64(messages)*b.assumed("signatures of messages")
	b.add(proof, "ledger message", float64(messages))
	b.add(proof, "KMS signature", signatures)
	b.add(proof, "S3 PUT", float64(checkpoints)*b.assumed("files of a checkpoint")+b.reports*b.assumed("events")/256*b.assumed("files of a full tile"))
	b.add(proof, "S3 GET", b.counted("log GET", "log checkpoint GET"))
}

func (b *bill) servers() {
	const hours = 730
	million := b.reports / 1e6
	capacity := max(b.assumed("Aurora capacity at rest"), million*b.assumed("Aurora capacity at a million reports"))
	if b.reports == 0 {
		capacity *= b.assumed("Aurora share awake at rest")
	}
	b.add(servers, "Aurora capacity", hours*capacity)
	b.add(servers, "Aurora storage", 1+b.reports*12*b.assumed("Aurora row bytes")/1e6)
	b.add(servers, "Aurora I/O", b.reports*b.assumed("Aurora I/O"))
	b.add(servers, "Valkey storage", hours*b.assumed("Valkey")*(1+million))
	b.add(servers, "NAT instance, its address and disk", 1)
}

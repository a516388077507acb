package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/queue"
)

// job is what a function needs of AWS, and all it gets.
type job struct {
	name    string
	kind    binary.Kind
	memory  float64 // MiB; CPU comes in proportion, one core at 1769
	timeout float64 // seconds

	sends   []queue.Name // queues it may send to
	watches bool         // asks whether the queues are there
	media   []media      // what it may do in the bucket
	seal    bool         // seals and opens
	signing bool         // signs tokens: reads the private key
	setup   bool         // admits the first administrator
	ledger  bool         // knows network, topics and mirror
	signer  bool         // signs with the ledger key
	ai      bool         // calls the models
	mail    bool         // sends mail and push
	place   bool         // asks Nominatim
	google  bool         // checks Google's tokens
	apart   bool         // knows no database and stands outside of its network

	// Workers of queues.
	batch       float64 // messages of one call
	concurrency float64 // calls at once: what stands behind bears no more
	window      float64 // seconds a batch may wait to fill
	// Scheduled functions.
	every string // an EventBridge rate
}

// media is access to one prefix of the bucket.
type media struct {
	prefix  string
	actions []string
}

const (
	originals  = "originals/"
	renditions = "renditions/"
	exports    = "exports/"
)

var (
	read = []string{"s3:GetObject"}
	// look also tells an object that is not there from one that is not for us: S3 says
	// 404 only to who may list.
	look  = []string{"s3:GetObject", "s3:ListBucket"}
	write = []string{"s3:PutObject"}
	erase = []string{"s3:DeleteObject"}
)

func all(actions ...[]string) []string { return slices.Concat(actions...) }

// jobs says what each function is for. A function that is not here gets the
// standard of its kind, which is the database and nothing else.
func jobs() []job {
	return []job{
		{name: "auth", memory: 1024, timeout: 15, sends: []queue.Name{queue.Notify}, seal: true, signing: true, google: true},
		{name: "users", memory: 1024, timeout: 29, sends: []queue.Name{queue.Notify}, seal: true, google: true,
			ledger: true, media: []media{{renditions, read}}},
		{name: "admin", memory: 1024, timeout: 15, seal: true, setup: true},
		{name: "staff", memory: 512, timeout: 29, sends: []queue.Name{queue.Notify, queue.Anchor}, ledger: true,
			media: []media{{renditions, read}}},
		{name: "reports", memory: 512, timeout: 29, ledger: true,
			sends: []queue.Name{queue.Validate, queue.Anchor, queue.Notify, queue.Geocode},
			media: []media{{originals, write}, {renditions, read}}},
		{name: "community", memory: 512, timeout: 15, sends: []queue.Name{queue.Notify}},
		{name: "monitoring", memory: 512, timeout: 29, ledger: true},
		{name: "locations", memory: 512, timeout: 15, place: true},
		{name: "notifications", memory: 512, timeout: 15},
		{name: "journeys", memory: 512, timeout: 29, ledger: true, media: []media{{renditions, read}}},
		{name: "public", memory: 512, timeout: 29, ledger: true, media: []media{{renditions, read}, {exports, look}}},
		{name: "meta", memory: 256, timeout: 10, watches: true},

		{name: "images", memory: 1769, timeout: 60, batch: 2, concurrency: 10, sends: []queue.Name{queue.Validate, queue.Notify},
			media: []media{{originals, look}, {renditions, all(write, erase)}}},
		{name: "validate", memory: 512, timeout: 150, batch: 2, concurrency: 5, ai: true, ledger: true,
			sends: []queue.Name{queue.Anchor, queue.Notify}, media: []media{{renditions, look}}},
		{name: "anchor", memory: 512, timeout: 120, batch: 10, concurrency: 2, window: 1, ledger: true, signer: true,
			sends: []queue.Name{queue.Anchor, queue.Notify}},
		{name: "notify", memory: 256, timeout: 60, batch: 5, concurrency: 4, seal: true, mail: true},
		{name: "geocode", memory: 256, timeout: 30, batch: 1, concurrency: 2, place: true},

		{name: "relay", memory: 512, timeout: 55, every: "rate(1 minute)", sends: queue.Names(), ledger: true,
			media: []media{{originals, erase}, {renditions, erase}}},
		{name: "export", memory: 1769, timeout: 840, every: "rate(1 hour)", media: []media{{exports, write}}},

		{name: "migrate", memory: 256, timeout: 840},
		{name: "keys", memory: 128, timeout: 30, apart: true},
		{name: "verify", memory: 256, timeout: 180, apart: true},
	}
}

// catalog joins the functions of the repository with their jobs.
func catalog(functions []binary.Function, s settings) ([]job, error) {
	known := make(map[string]job)
	for _, j := range jobs() {
		known[j.name] = j
	}
	var out []job
	var faults []string
	for _, f := range functions {
		j, ok := known[f.Name]
		if !ok {
			j = job{name: f.Name, memory: 512, timeout: 15}
		}
		j.kind = f.Kind
		if mib, ok := s.Memory[f.Name]; ok {
			j.memory = mib
		}
		switch {
		case j.kind == binary.Queue && j.batch == 0:
			faults = append(faults, fmt.Sprintf("%s consumes a queue but has no batch size", f.Name))
		case j.kind == binary.Schedule && j.every == "":
			faults = append(faults, fmt.Sprintf("%s is scheduled but has no rate", f.Name))
		case j.kind == binary.HTTP && j.timeout > 29:
			faults = append(faults, fmt.Sprintf("%s answers a gateway that waits 30 seconds", f.Name))
		case j.kind == binary.Queue && !slices.Contains(queue.Names(), queue.Name(f.Name)):
			faults = append(faults, fmt.Sprintf("%s consumes a queue that shared/queue does not name", f.Name))
		}
		out = append(out, j)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("functions: %s", strings.Join(faults, "; "))
	}
	return out, nil
}

// database reports whether the function works on the database.
func (j job) database() bool { return !j.apart }

// of reports whether the function is of a kind.
func (j job) of(kind binary.Kind) bool { return j.kind == kind }

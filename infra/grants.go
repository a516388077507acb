package main

import (
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/storage"
)

// spec is a function as it is deployed: its entry in the catalogue, its queue if it is a worker, and its rights.
type spec struct {
	catalog.Function
	queue  catalog.QueueSpec
	grants grants
}

// id is the function's name in the ids and names of its resources.
func (s spec) id() string { return string(s.Name) }

// grants are the rights of one function. Every function also may write its logs and, unless withoutDatabase is set, use the
// database. A function gets the configuration for its rights and no other configuration.
type grants struct {
	sends           []catalog.QueueName // queues it may send to
	watchQueues     bool                // may ask how full each queue is
	bucket          []bucketAccess      // what it may do in the bucket
	sealKeys        bool                // seals and opens personal data
	signingKey      bool                // signs tokens
	setupToken      bool                // admits the first administrator
	ledger          bool                // knows network, topics and mirror node
	ledgerKey       bool                // signs ledger messages
	receipts        bool                // signs receipts
	logFiles        logAccess           // what it may do with the files of the public log
	logKey          bool                // signs the checkpoints of the public log
	models          bool                // calls the AI models
	mail            bool                // sends mail and push
	geocoder        bool                // calls Nominatim
	baseMap         bool                // address of the base map of the pages
	google          bool                // verifies Google's tokens
	withoutDatabase bool                // has no access to the database, and runs outside of its network
}

// bucketAccess is what a function may do with the objects of one prefix.
type bucketAccess struct {
	prefix  string
	actions []string
}

// logAccess is what a function may do with the files of the public log.
type logAccess int

// Access to the log.
const (
	noLog    logAccess = iota
	readLog            // reads files
	writeLog           // writes all files, deletes partial ones
)

var (
	read = []string{"s3:GetObject"}
	// readOrMissing includes the right to list: without it S3 answers 403 for a missing object, and not 404.
	readOrMissing = []string{"s3:GetObject", "s3:ListBucket"}
	write         = []string{"s3:PutObject"}
	erase         = []string{"s3:DeleteObject"}
	// eraseVersions deletes an object for good: the bucket keeps earlier versions.
	eraseVersions = []string{"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucketVersions"}
	// exchange writes objects, asks whether one is there, and reads it.
	exchange = slices.Concat(readOrMissing, write)
	// move takes an object to another key.
	move = slices.Concat(readOrMissing, write, eraseVersions)
)

// operatorFiles begins the keys of files that operators have imported; see functions/migrate/operate.
const operatorFiles = storage.Imports + "operator/"

// grantsOf returns the rights of a function. One that has no entry works on the database alone.
func grantsOf(name catalog.FunctionName) grants {
	readRenditions := []bucketAccess{{storage.Renditions, read}}
	return map[catalog.FunctionName]grants{
		"auth":  {sends: []catalog.QueueName{catalog.Notify, catalog.Anchor}, sealKeys: true, signingKey: true, google: true},
		"users": {sends: []catalog.QueueName{catalog.Notify, catalog.Anchor}, sealKeys: true, google: true, ledger: true, receipts: true, bucket: readRenditions},
		"admin": {sends: []catalog.QueueName{catalog.Notify, catalog.Webhooks}, sealKeys: true, setupToken: true},
		"staff": {sends: []catalog.QueueName{catalog.Notify, catalog.Anchor, catalog.Webhooks}, ledger: true, receipts: true, bucket: []bucketAccess{{storage.Renditions, move}}},
		"reports": {sends: []catalog.QueueName{catalog.Images, catalog.Validate, catalog.Anchor, catalog.Notify, catalog.Geocode, catalog.Webhooks}, ledger: true, receipts: true,
			bucket: []bucketAccess{{storage.Originals, write}, {storage.Renditions, move}}},
		"community":     {sends: []catalog.QueueName{catalog.Notify, catalog.Anchor, catalog.Webhooks}, receipts: true},
		"monitoring":    {ledger: true, logFiles: readLog},
		"locations":     {geocoder: true},
		"notifications": {sealKeys: true}, // the tokens of links that end mails
		"journeys":      {ledger: true, bucket: []bucketAccess{{storage.Renditions, read}, {storage.Imports, exchange}, {storage.Routes, exchange}}},
		"public":        {ledger: true, logFiles: readLog, bucket: []bucketAccess{{storage.Renditions, readOrMissing}, {storage.Exports, readOrMissing}}},
		"open311": {sends: []catalog.QueueName{catalog.Images, catalog.Validate, catalog.Anchor, catalog.Notify, catalog.Geocode, catalog.Fetch, catalog.Webhooks}, ledger: true, receipts: true,
			bucket: []bucketAccess{{storage.Originals, write}, {storage.Renditions, read}}},
		"ogc":  {},
		"web":  {ledger: true, bucket: readRenditions, baseMap: true},
		"meta": {watchQueues: true},

		"images": {sends: []catalog.QueueName{catalog.Validate, catalog.Notify},
			bucket: []bucketAccess{{storage.Originals, readOrMissing}, {storage.Renditions, slices.Concat(readOrMissing, write, erase)}}},
		"validate": {sends: []catalog.QueueName{catalog.Anchor, catalog.Notify, catalog.Webhooks}, models: true, ledger: true,
			bucket: []bucketAccess{{storage.Renditions, move}}},
		"anchor":   {sends: []catalog.QueueName{catalog.Anchor, catalog.Notify}, ledger: true, ledgerKey: true, receipts: true, logFiles: writeLog, logKey: true},
		"notify":   {sealKeys: true, mail: true, receipts: true},
		"geocode":  {geocoder: true},
		"webhooks": {sends: []catalog.QueueName{catalog.Webhooks, catalog.Notify}, sealKeys: true},
		"fetch":    {sends: []catalog.QueueName{catalog.Validate}, bucket: []bucketAccess{{storage.Originals, exchange}}},

		"relay": {sends: catalog.QueueNames(), ledger: true,
			bucket: []bucketAccess{{storage.Originals, eraseVersions}, {storage.Renditions, eraseVersions}, {storage.Exports, eraseVersions}}},
		"digest": {sends: []catalog.QueueName{catalog.Notify}, sealKeys: true},
		"export": {bucket: []bucketAccess{{storage.Exports, write}}},

		// It also runs the commands of operators: fsck, and imports of files that it signs the addresses for.
		"migrate": {receipts: true, ledger: true, logFiles: readLog, bucket: []bucketAccess{{storage.Renditions, readOrMissing}, {operatorFiles, exchange}}},
		"keys":    {withoutDatabase: true},
		"verify":  {withoutDatabase: true},
	}[name]
}

// specs are all functions of the catalogue, by name, with the operator's settings applied.
func specs(s settings) []spec {
	var out []spec
	for _, f := range catalog.Functions() {
		if mib, ok := s.Memory[string(f.Name)]; ok {
			f.Memory = int(mib)
		}
		one := spec{Function: f, grants: grantsOf(f.Name)}
		for _, q := range catalog.Queues() {
			if catalog.FunctionName(q.Name) == f.Name {
				one.queue = q
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b spec) int { return strings.Compare(a.id(), b.id()) })
	return out
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/storage"
)

// How long objects are kept, in days.
const (
	originalDays   = 7  // an original, whether it is part of a report or not
	riderFileDays  = 1  // a file of a rider: one to import, or a route that is too large for an answer
	noncurrentDays = 30 // a version that was replaced or deleted
)

// bucketStack has the bucket of pictures and exports, and that of the public log.
type bucketStack struct {
	stack  awscdk.Stack
	bucket awss3.Bucket
	log    awss3.Bucket
}

func newStorage(scope constructs.Construct, p *plan, q *queues, k *keys) *bucketStack {
	s := &bucketStack{stack: newStack(scope, p.settings, "storage", "Pictures, exports and the public log")}
	props := &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL: jsii.Bool(true), MinimumTLSVersion: jsii.Number(1.2), Versioned: jsii.Bool(true),
		Encryption: awss3.BucketEncryption_S3_MANAGED, RemovalPolicy: p.removal(),
		LifecycleRules: &[]*awss3.LifecycleRule{
			{Id: jsii.String("originals-expire"), Prefix: jsii.String(catalog.OriginalsPrefix), Expiration: days(originalDays), NoncurrentVersionExpiration: days(1)},
			expires("imports-expire", storage.Imports), expires("routes-expire", storage.Routes),
			{Id: jsii.String("replaced-and-deleted-expire"), NoncurrentVersionExpiration: days(noncurrentDays), ExpiredObjectDeleteMarker: jsii.Bool(true)},
			{Id: jsii.String("broken-uploads"), AbortIncompleteMultipartUploadAfter: days(1)},
		},
		// Browsers send presigned requests too. Who has the address has the permission.
		Cors: &[]*awss3.CorsRule{{
			AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_PUT, awss3.HttpMethods_POST, awss3.HttpMethods_GET},
			AllowedOrigins: jsii.Strings(p.CORSOrigins...), AllowedHeaders: jsii.Strings("*"),
			ExposedHeaders: jsii.Strings("ETag"), MaxAge: jsii.Number(3600.0),
		}, { // The page of a report hashes the pictures that it shows.
			AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_GET}, AllowedOrigins: jsii.Strings("*"), MaxAge: jsii.Number(3600.0),
		}},
	}
	if k.data != nil {
		props.Encryption, props.EncryptionKey, props.BucketKeyEnabled = awss3.BucketEncryption_KMS, k.data, jsii.Bool(true)
	}
	s.bucket = awss3.NewBucket(s.stack, jsii.String("media"), props)
	s.announce(q)
	s.makeLog(p, k)
	output(s.stack, "MediaBucket", "Bucket of pictures and exports", s.bucket.BucketName())
	return s
}

// expires deletes the riders' files under a prefix. S3 deletes at midnight (UTC) after the day is over, and the version
// that it keeps a day later: no byte is older than four days.
func expires(id, prefix string) *awss3.LifecycleRule {
	return &awss3.LifecycleRule{Id: jsii.String(id), Prefix: jsii.String(prefix), Expiration: days(riderFileDays), NoncurrentVersionExpiration: days(1)}
}

// makeLog makes the bucket of the public log. Functions serve its files; nobody reads the bucket itself. It has Object Lock
// where full files are locked, and no lock by default: partial files are deleted every day. Object Lock needs versions.
func (s *bucketStack) makeLog(p *plan, k *keys) {
	props := &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL: jsii.Bool(true), MinimumTLSVersion: jsii.Number(1.2), Encryption: awss3.BucketEncryption_S3_MANAGED, RemovalPolicy: p.removal(),
	}
	if p.LogLockMode != string(storage.LockNone) {
		props.ObjectLockEnabled, props.Versioned = jsii.Bool(true), jsii.Bool(true)
		props.RemovalPolicy = awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE // its deletion would fail before the last date
		// A locked version stays until its date, whatever the rule says.
		props.LifecycleRules = &[]*awss3.LifecycleRule{{Id: jsii.String("replaced-and-deleted-expire"), NoncurrentVersionExpiration: days(1), ExpiredObjectDeleteMarker: jsii.Bool(true)}}
	}
	if k.data != nil {
		props.Encryption, props.EncryptionKey, props.BucketKeyEnabled = awss3.BucketEncryption_KMS, k.data, jsii.Bool(true)
	}
	s.log = awss3.NewBucket(s.stack, jsii.String("log"), props)
	output(s.stack, "LogBucket", "Bucket of the public log", s.log.BucketName())
}

// announce has S3 send the events of the catalogue. It sets the property of the resource itself: CDK's own way would add
// a function in Python.
func (s *bucketStack) announce(q *queues) {
	raw, ok := s.bucket.Node().DefaultChild().(awss3.CfnBucket)
	if !ok {
		return
	}
	t := catalog.PictureArrived()
	raw.SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
		QueueConfigurations: &[]any{&awss3.CfnBucket_QueueConfigurationProperty{
			Event: jsii.String(t.Event), Queue: q.live[t.Queue].QueueArn(),
			Filter: &awss3.CfnBucket_NotificationFilterProperty{S3Key: &awss3.CfnBucket_S3KeyFilterProperty{
				Rules: &[]any{&awss3.CfnBucket_FilterRuleProperty{Name: jsii.String("prefix"), Value: jsii.String(t.Prefix)}},
			}},
		}},
	})
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/queue"
)

// What becomes of objects.
const (
	originalDays   = 7 // unattached uploads, and originals once they are rendered
	noncurrentDays = 30
)

// storage is the one bucket: pictures and exports.
type storage struct {
	stack  awscdk.Stack
	bucket awss3.Bucket
}

func newStorage(scope constructs.Construct, p *plan, q *queues, k *keys) *storage {
	s := &storage{stack: newStack(scope, p.settings, "storage", "Pictures and exports")}
	props := &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL: jsii.Bool(true), MinimumTLSVersion: jsii.Number(1.2), Versioned: jsii.Bool(true),
		Encryption: awss3.BucketEncryption_S3_MANAGED, RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		LifecycleRules: &[]*awss3.LifecycleRule{
			{Id: jsii.String("originals-expire"), Prefix: jsii.String(originals), Expiration: days(originalDays), NoncurrentVersionExpiration: days(1)},
			{Id: jsii.String("replaced-and-deleted-expire"), NoncurrentVersionExpiration: days(noncurrentDays), ExpiredObjectDeleteMarker: jsii.Bool(true)},
			{Id: jsii.String("broken-uploads"), AbortIncompleteMultipartUploadAfter: days(1)},
		},
		// Presigned requests come from browsers too: the address itself is the permission.
		Cors: &[]*awss3.CorsRule{{
			AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_PUT, awss3.HttpMethods_POST, awss3.HttpMethods_GET},
			AllowedOrigins: jsii.Strings(p.CORSOrigins...), AllowedHeaders: jsii.Strings("*"),
			ExposedHeaders: jsii.Strings("ETag"), MaxAge: jsii.Number(3600.0),
		}},
	}
	if k.data != nil {
		props.Encryption, props.EncryptionKey, props.BucketKeyEnabled = awss3.BucketEncryption_KMS, k.data, jsii.Bool(true)
	}
	s.bucket = awss3.NewBucket(s.stack, jsii.String("media"), props)
	s.announce(q)
	output(s.stack, "MediaBucket", "Bucket of pictures and exports", s.bucket.BucketName())
	return s
}

// announce has S3 tell the images queue of each new original. Written on the
// resource itself: CDK's own way brings a function in Python.
func (s *storage) announce(q *queues) {
	raw, ok := s.bucket.Node().DefaultChild().(awss3.CfnBucket)
	if !ok {
		return
	}
	raw.SetNotificationConfiguration(&awss3.CfnBucket_NotificationConfigurationProperty{
		QueueConfigurations: &[]any{&awss3.CfnBucket_QueueConfigurationProperty{
			Event: jsii.String("s3:ObjectCreated:*"), Queue: q.live[queue.Images].QueueArn(),
			Filter: &awss3.CfnBucket_NotificationFilterProperty{S3Key: &awss3.CfnBucket_S3KeyFilterProperty{
				Rules: &[]any{&awss3.CfnBucket_FilterRuleProperty{Name: jsii.String("prefix"), Value: jsii.String(originals)}},
			}},
		}},
	})
}

func days(n float64) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(n)) }

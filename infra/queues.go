package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// queues are the queues of the catalogue, each with its dead letters.
type queues struct {
	stack awscdk.Stack
	live  map[catalog.QueueName]awssqs.Queue
	dead  map[catalog.QueueName]awssqs.Queue
}

func newQueues(scope constructs.Construct, p *plan) *queues {
	q := &queues{
		stack: newStack(scope, p.settings, "queues", "Queues and their dead letters"),
		live:  make(map[catalog.QueueName]awssqs.Queue), dead: make(map[catalog.QueueName]awssqs.Queue),
	}
	for _, spec := range catalog.Queues() {
		q.add(p, spec)
	}
	q.admitBucket()
	return q
}

func (q *queues) add(p *plan, spec catalog.QueueSpec) {
	id, deadID := string(spec.Name), string(spec.Name.Dead())
	q.dead[spec.Name] = awssqs.NewQueue(q.stack, jsii.String(deadID), &awssqs.QueueProps{
		QueueName: jsii.String(p.name(deadID)), RetentionPeriod: seconds(catalog.Retention),
		Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
		RedriveAllowPolicy: &awssqs.RedriveAllowPolicy{RedrivePermission: awssqs.RedrivePermission_ALLOW_ALL},
	})
	q.live[spec.Name] = awssqs.NewQueue(q.stack, jsii.String(id), &awssqs.QueueProps{
		QueueName: jsii.String(p.name(id)), RetentionPeriod: seconds(catalog.Retention),
		VisibilityTimeout:      seconds(spec.Visibility()),
		ReceiveMessageWaitTime: seconds(catalog.LongPoll),
		Encryption:             awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
		DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: q.dead[spec.Name], MaxReceiveCount: jsii.Number(float64(catalog.MaxReceives))},
	})
}

// admitBucket lets S3 of this account send to the queue of arrived pictures. The policy cannot name the bucket, which is
// made in a later stack.
func (q *queues) admitBucket() {
	pictures := q.live[catalog.PictureArrived().Queue]
	pictures.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("BucketAnnouncesPictures"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("s3.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sqs:SendMessage"), Resources: &[]*string{pictures.QueueArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": q.stack.Account()}},
	}))
}

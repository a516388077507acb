package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/queue"
)

// How messages fare.
const (
	receives       = 6  // before a message is a dead letter
	retentionDays  = 14 // the most SQS keeps
	visibilityRate = 6  // times the function's timeout, as Lambda's documentation asks
)

// queues are the queues of the system, each with its dead letters.
type queues struct {
	stack awscdk.Stack
	live  map[queue.Name]awssqs.Queue
	dead  map[queue.Name]awssqs.Queue
}

func newQueues(scope constructs.Construct, p *plan) *queues {
	q := &queues{
		stack: newStack(scope, p.settings, "queues", "Queues and their dead letters"),
		live:  make(map[queue.Name]awssqs.Queue), dead: make(map[queue.Name]awssqs.Queue),
	}
	for _, name := range queue.Names() {
		timeout := 30.0
		if j, ok := p.job(string(name)); ok {
			timeout = j.timeout + j.window
		}
		id := string(name)
		q.dead[name] = awssqs.NewQueue(q.stack, jsii.String(id+"-dead"), &awssqs.QueueProps{
			QueueName: jsii.String(p.name(id + "-dead")), RetentionPeriod: awscdk.Duration_Days(jsii.Number(float64(retentionDays))),
			Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
			RedriveAllowPolicy: &awssqs.RedriveAllowPolicy{RedrivePermission: awssqs.RedrivePermission_ALLOW_ALL},
		})
		q.live[name] = awssqs.NewQueue(q.stack, jsii.String(id), &awssqs.QueueProps{
			QueueName: jsii.String(p.name(id)), RetentionPeriod: awscdk.Duration_Days(jsii.Number(float64(retentionDays))),
			VisibilityTimeout:      awscdk.Duration_Seconds(jsii.Number(visibilityRate * timeout)),
			ReceiveMessageWaitTime: awscdk.Duration_Seconds(jsii.Number(20.0)),
			Encryption:             awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
			DeadLetterQueue: &awssqs.DeadLetterQueue{Queue: q.dead[name], MaxReceiveCount: jsii.Number(float64(receives))},
		})
	}
	// S3 of this account may announce pictures. The bucket is not named: it comes after this stack.
	q.live[queue.Images].AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("BucketAnnouncesPictures"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("s3.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sqs:SendMessage"), Resources: &[]*string{q.live[queue.Images].QueueArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": q.stack.Account()}},
	}))
	return q
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/shared/queue"
)

// functions are the route groups and workers.
type functions struct {
	stack   awscdk.Stack
	list    []*goFunction
	aliases map[string]awslambda.Alias // of HTTP functions, by name: what the API calls
	deploys awscodedeploy.LambdaApplication
	shifter awsiam.IRole // shifts their traffic
	topic   awssns.Topic
	action  *string // what every alarm does
}

const liveAlias = "live"

func newFunctions(scope constructs.Construct, m *means) *functions {
	f := &functions{stack: newStack(scope, m.settings, "functions", "Route groups and workers"), aliases: make(map[string]awslambda.Alias)}
	f.topic = awssns.NewTopic(f.stack, jsii.String("alarms"), &awssns.TopicProps{
		TopicName: jsii.String(m.name("alarms")), EnforceSSL: jsii.Bool(true),
	})
	f.action = f.topic.TopicArn()
	if m.AlarmEmail != "" {
		f.topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(m.AlarmEmail), nil))
	}
	output(f.stack, "AlarmTopic", "Subscribe here to hear of alarms", f.action)
	if m.Deployment != "all-at-once" {
		f.deploys = awscodedeploy.NewLambdaApplication(f.stack, jsii.String("deployments"), &awscodedeploy.LambdaApplicationProps{
			ApplicationName: jsii.String(m.name("functions")),
		})
		f.shifter = awsiam.NewRole(f.stack, jsii.String("deployments-role"), &awsiam.RoleProps{
			AssumedBy: awsiam.NewServicePrincipal(jsii.String("codedeploy.amazonaws.com"), nil),
			ManagedPolicies: &[]awsiam.IManagedPolicy{
				awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AWSCodeDeployRoleForLambdaLimited")),
			},
		}).WithoutPolicyUpdates(nil)
	}
	for _, j := range m.jobs {
		if j.of(binary.Resource) {
			continue
		}
		env, policy := m.of(f.stack, j)
		fn := newGoFunction(f.stack, m.plan, j, env, policy, m.network.place())
		f.list = append(f.list, fn)
		switch j.kind {
		case binary.HTTP:
			f.aliases[j.name] = f.alias(m.plan, fn)
		case binary.Queue:
			f.consume(m, fn)
		}
	}
	f.verify(m.plan)
	return f
}

// consume has Lambda poll the function's queue, unless what the function works
// with is not set up: its messages wait, in SQS for 14 days, in the database for good.
func (f *functions) consume(m *means, fn *goFunction) {
	props := &awslambda.CfnEventSourceMappingProps{
		FunctionName: fn.function.FunctionArn(), EventSourceArn: m.queues.live[queue.Name(fn.job.name)].QueueArn(),
		BatchSize: jsii.Number(fn.job.batch), FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		ScalingConfig: &awslambda.CfnEventSourceMapping_ScalingConfigProperty{MaximumConcurrency: jsii.Number(fn.job.concurrency)},
		Enabled:       jsii.Bool((!fn.job.signer || m.HederaAccount != "") && (!fn.job.mail || m.MailSecret != "")),
	}
	if fn.job.window > 0 {
		props.MaximumBatchingWindowInSeconds = jsii.Number(fn.job.window)
	}
	awslambda.NewCfnEventSourceMapping(f.stack, jsii.String(fn.job.name+"-source"), props)
}

// alias is the version the API calls. A new one gets its traffic in steps, and
// loses it again when the function fails.
func (f *functions) alias(p *plan, fn *goFunction) awslambda.Alias {
	id := fn.job.name
	alias := awslambda.NewAlias(f.stack, jsii.String(id+"-live"), &awslambda.AliasProps{
		AliasName: jsii.String(liveAlias), Version: fn.function.CurrentVersion(),
	})
	if p.Deployment == "all-at-once" {
		return alias
	}
	steps := awscodedeploy.LambdaDeploymentConfig_CANARY_10PERCENT_5MINUTES()
	if p.Deployment == "linear" {
		steps = awscodedeploy.LambdaDeploymentConfig_LINEAR_10PERCENT_EVERY_1MINUTE()
	}
	failing := f.alarm(id+"-failing", "The live version of "+id+" fails: crashes, time-outs. A deploy in progress is rolled back.",
		alias.MetricErrors(&awscloudwatch.MetricOptions{Period: minutes(1), Statistic: jsii.String("Sum")}), 1, 2)
	awscodedeploy.NewLambdaDeploymentGroup(f.stack, jsii.String(id+"-deployment"), &awscodedeploy.LambdaDeploymentGroupProps{
		Application: f.deploys, Role: f.shifter, Alias: alias, DeploymentConfig: steps, Alarms: &[]interfacesawscloudwatch.IAlarmRef{failing},
		AutoRollback: &awscodedeploy.AutoRollbackConfig{
			FailedDeployment: jsii.Bool(true), StoppedDeployment: jsii.Bool(true), DeploymentInAlarm: jsii.Bool(true),
		},
	})
	return alias
}

// verify holds every alias back until the new versions of all work. A version that
// does not answer, fails the update before any traffic is shifted.
func (f *functions) verify(p *plan) {
	j, _ := p.job("verify")
	var versions, live []*string
	for _, fn := range f.list {
		if fn.job.of(binary.HTTP) {
			versions = append(versions, fn.function.CurrentVersion().FunctionArn())
			live = append(live, jsii.String(*fn.function.FunctionArn()+":"+liveAlias))
		}
	}
	verifier := newGoFunction(f.stack, p, j, environment{}, []statement{
		{"AskVersions", []string{"lambda:InvokeFunction"}, versions, nil},
		{"LookAtAliases", []string{"lambda:GetAlias"}, live, nil},
	}, nil)
	verified := awscdk.NewCustomResource(f.stack, jsii.String("verified"), &awscdk.CustomResourceProps{
		ServiceToken: verifier.function.FunctionArn(), ResourceType: jsii.String("Custom::Verified"),
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN, ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(5.0)),
		// Versions that changed have CloudFormation call the function again.
		Properties: &map[string]any{"Alias": liveAlias, "Versions": versions},
	})
	for _, fn := range f.list {
		if alias, ok := f.aliases[fn.job.name]; ok {
			alias.Node().AddDependency(verified)
		}
	}
}

// alarm fires when metric is at least threshold for so many periods in a row.
func (f *functions) alarm(id, description string, metric awscloudwatch.IMetric, threshold, periods float64) awscloudwatch.Alarm {
	return newAlarm(f.stack, f.action, id, description, metric, threshold, periods)
}

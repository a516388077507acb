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

	"github.com/lafaekstreet/backend/shared/catalog"
)

// functions are the HTTP functions, the workers of the queues and the scheduled functions.
type functions struct {
	stack       awscdk.Stack
	list        []*goFunction
	aliases     map[catalog.FunctionName]awslambda.Alias // what API, queues and schedules call
	deployments awscodedeploy.LambdaApplication
	// deployer is the role that moves traffic from a version to the next.
	deployer awsiam.IRole
}

// liveAlias is the alias of each function that API Gateway, its queue or its schedule calls.
const liveAlias = "live"

func newFunctions(scope constructs.Construct, r *resources) *functions {
	f := &functions{stack: newStack(scope, r.settings, "functions", "HTTP functions and workers"),
		aliases: make(map[catalog.FunctionName]awslambda.Alias)}
	f.addAlarmTopic(r.plan)
	if r.Deployment != "all-at-once" {
		f.addDeployments(r.plan)
	}
	for _, s := range r.specs {
		if s.Kind == catalog.Deploy {
			continue
		}
		env, policy := r.configure(f.stack, s)
		fn := newGoFunction(f.stack, r.plan, s, env, policy, r.networkOf(s))
		f.list = append(f.list, fn)
		f.aliases[s.Name] = f.alias(r.plan, fn)
		if s.Kind == catalog.Queue {
			f.consume(r, fn)
		}
	}
	f.verify(r.plan)
	return f
}

func (f *functions) addAlarmTopic(p *plan) {
	topic := awssns.NewTopic(f.stack, jsii.String("alarms"), &awssns.TopicProps{
		TopicName: jsii.String(p.name("alarms")), EnforceSSL: jsii.Bool(true),
	})
	// With a policy of its own a topic loses the default one, which admits this account.
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("AlarmsPublish"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"), Resources: &[]*string{topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": f.stack.Account()}},
	}))
	if p.AlarmEmail != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(p.AlarmEmail), nil))
	}
	f.stack.ExportValue(topic.TopicArn(), nil) // alarms of earlier deployments import it
	output(f.stack, "AlarmTopic", "Subscribe to this topic to be told of alarms", topic.TopicArn())
}

func (f *functions) addDeployments(p *plan) {
	f.deployments = awscodedeploy.NewLambdaApplication(f.stack, jsii.String("deployments"), &awscodedeploy.LambdaApplicationProps{
		ApplicationName: jsii.String(p.name("functions")),
	})
	f.deployer = awsiam.NewRole(f.stack, jsii.String("deployments-role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("codedeploy.amazonaws.com"), nil),
		ManagedPolicies: &[]awsiam.IManagedPolicy{
			awsiam.ManagedPolicy_FromAwsManagedPolicyName(jsii.String("service-role/AWSCodeDeployRoleForLambdaLimited")),
		},
	}).WithoutPolicyUpdates(nil)
}

// consume has Lambda call the worker with the messages of its queue. The queue is not consumed while the mail server that the
// worker needs is not set up. Its messages wait: 14 days in SQS, for ever in the database.
func (f *functions) consume(r *resources, fn *goFunction) {
	g, q := fn.spec.grants, fn.spec.queue
	props := &awslambda.CfnEventSourceMappingProps{
		FunctionName: f.aliases[fn.spec.Name].FunctionArn(), EventSourceArn: r.queues.live[q.Name].QueueArn(),
		BatchSize: jsii.Number(float64(q.Batch)), FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		ScalingConfig: &awslambda.CfnEventSourceMapping_ScalingConfigProperty{MaximumConcurrency: jsii.Number(float64(q.Concurrency))},
		Enabled:       jsii.Bool(!g.mail || r.MailSecret != ""),
	}
	if q.Window > 0 {
		props.MaximumBatchingWindowInSeconds = jsii.Number(q.Window.Seconds())
	}
	awslambda.NewCfnEventSourceMapping(f.stack, jsii.String(fn.spec.id()+"-source"), props)
}

// alias is the version of a function that is called. A new version of an HTTP function gets its traffic in steps, and loses it
// again if it crashes or answers 5xx meanwhile. One of a worker or a scheduled function gets all at once.
func (f *functions) alias(p *plan, fn *goFunction) awslambda.Alias {
	id := fn.spec.id()
	alias := awslambda.NewAlias(f.stack, jsii.String(id+"-live"), &awslambda.AliasProps{
		AliasName: jsii.String(liveAlias), Version: fn.function.CurrentVersion(),
	})
	if p.Deployment == "all-at-once" || fn.spec.Kind != catalog.HTTP {
		return alias
	}
	steps := awscodedeploy.LambdaDeploymentConfig_CANARY_10PERCENT_5MINUTES()
	if p.Deployment == "linear" {
		steps = awscodedeploy.LambdaDeploymentConfig_LINEAR_10PERCENT_EVERY_1MINUTE()
	}
	awscodedeploy.NewLambdaDeploymentGroup(f.stack, jsii.String(id+"-deployment"), &awscodedeploy.LambdaDeploymentGroupProps{
		Application: f.deployments, Role: f.deployer, Alias: alias, DeploymentConfig: steps, Alarms: f.releaseAlarms(p, fn, alias),
		AutoRollback: &awscodedeploy.AutoRollbackConfig{
			FailedDeployment: jsii.Bool(true), StoppedDeployment: jsii.Bool(true), DeploymentInAlarm: jsii.Bool(true),
		},
	})
	return alias
}

// releaseAlarms are the alarms of the catalogue on the live version of a function. Its own metrics are those of the version that
// is deployed: errors of the version before do not stop a deployment.
func (f *functions) releaseAlarms(p *plan, fn *goFunction, alias awslambda.Alias) *[]interfacesawscloudwatch.IAlarmRef {
	var out []interfacesawscloudwatch.IAlarmRef
	for _, a := range catalog.Alarms() {
		if a.Signal.Scope != catalog.EachRelease {
			continue
		}
		options := &awscloudwatch.MetricOptions{Period: minutes(a.Period), Statistic: jsii.String(string(a.Signal.Statistic))}
		metric := alias.Metric(jsii.String(a.Signal.AWS), options)
		if a.Signal.AWS == "" {
			metric = awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
				Namespace: jsii.String(catalog.Namespace(p.Stage)), MetricName: jsii.String(a.Signal.Metric.Name()), Period: options.Period, Statistic: options.Statistic,
				DimensionsMap: &map[string]*string{"function": jsii.String(fn.spec.id()), "version": fn.function.CurrentVersion().Version()},
			})
		}
		out = append(out, newAlarm(f.stack, p.alarmTopic(f.stack), a.For(fn.spec.id()), metric))
	}
	return &out
}

// verify calls the new version of each function before any alias leads to it. If one does not answer, the update
// fails while all requests, messages and schedules still go to the former versions.
func (f *functions) verify(p *plan) {
	var versions, live []*string
	for _, fn := range f.list {
		versions = append(versions, fn.function.CurrentVersion().FunctionArn())
		live = append(live, jsii.String(*fn.function.FunctionArn()+":"+liveAlias))
	}
	verifier := newGoFunction(f.stack, p, p.spec("verify"), environment{}, []statement{
		{"AskVersions", []string{"lambda:InvokeFunction"}, versions, nil},
		{"LookAtAliases", []string{"lambda:GetAlias"}, live, nil},
	}, nil)
	verified := awscdk.NewCustomResource(f.stack, jsii.String("verified"), &awscdk.CustomResourceProps{
		ServiceToken: verifier.function.FunctionArn(), ResourceType: jsii.String("Custom::Verified"),
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN, ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(5.0)),
		// CloudFormation calls the function again when a version changes.
		Properties: &map[string]any{"Alias": liveAlias, "Versions": versions},
	})
	for _, alias := range f.aliases {
		alias.Node().AddDependency(verified)
	}
}

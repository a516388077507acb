package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/infra/binary"
)

// plan is what every stack is made from.
type plan struct {
	settings
	inputs
	jobs []job
}

// job finds a function by name.
func (p *plan) job(name string) (job, bool) {
	for _, j := range p.jobs {
		if j.name == name {
			return j, true
		}
	}
	return job{}, false
}

// newStacks makes the stacks in the order they are deployed: each knows only
// those before it.
func newStacks(scope constructs.Construct, s settings, in inputs) error {
	jobs, err := catalog(in.functions, s)
	if err != nil {
		return err
	}
	p := &plan{settings: s, inputs: in, jobs: jobs}
	for _, needed := range []string{"keys", "migrate", "verify"} {
		if j, ok := p.job(needed); !ok || j.kind != binary.Resource {
			return fmt.Errorf("functions: %s is missing, and a deploy needs it", needed)
		}
	}
	queues := newQueues(scope, p)
	keys := newKeys(scope, p)
	storage := newStorage(scope, p, queues, keys)
	network := newNetwork(scope, p)
	data := newData(scope, p, network, keys)
	m := &means{plan: p, keys: keys, queues: queues, storage: storage, network: network, data: data}
	migration := newMigrations(scope, m)
	functions := newFunctions(scope, m)
	functions.stack.AddStackDependency(migration.stack, jsii.String("the schema comes before the code that needs it"))
	api, err := newAPI(scope, p, functions)
	if err != nil {
		return err
	}
	if p.Edge {
		newEdge(scope, p, keys, api)
	}
	newSchedules(scope, p, functions)
	newObservability(scope, m, functions, api)
	return nil
}

// newStack makes a stack called part, with the tags everything of it carries.
func newStack(scope constructs.Construct, s settings, part, description string) awscdk.Stack {
	env := &awscdk.Environment{}
	if s.Account != "" {
		env.Account = jsii.String(s.Account)
	}
	if s.Region != "" {
		env.Region = jsii.String(s.Region)
	}
	stack := awscdk.NewStack(scope, jsii.String(s.name(part)), &awscdk.StackProps{
		Env: env, Description: jsii.String(description), TerminationProtection: jsii.Bool(part == "data" || part == "keys" || part == "storage"),
	})
	tags := awscdk.Tags_Of(stack)
	// cfn-lint knows no tags on dashboards.
	except := &awscdk.TagProps{ExcludeResourceTypes: jsii.Strings("AWS::CloudWatch::Dashboard")}
	tags.Add(jsii.String("application"), jsii.String("lafaekstreet"), except)
	tags.Add(jsii.String("stage"), jsii.String(s.Stage), except)
	return stack
}

// output names a value for people and scripts.
func output(stack awscdk.Stack, name, description string, value *string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: value, Description: jsii.String(description)})
}

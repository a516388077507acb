package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// plan is what every stack is made from.
type plan struct {
	settings
	inputs
	specs []spec
}

// spec finds a function of the catalogue. A name that is not there is a fault of this program.
func (p *plan) spec(name catalog.FunctionName) spec {
	for _, s := range p.specs {
		if s.Name == name {
			return s
		}
	}
	panic("shared/catalog has no function " + name)
}

// newStacks makes the stacks in the order in which they are deployed. Each refers only to those before it.
func newStacks(scope constructs.Construct, s settings, in inputs) error {
	p := &plan{settings: s, inputs: in, specs: specs(s)}
	queues := newQueues(scope, p)
	keys := newKeys(scope, p)
	storage := newStorage(scope, p, queues, keys)
	network := newNetwork(scope, p)
	data := newData(scope, p, network, keys)
	r := &resources{plan: p, keys: keys, queues: queues, storage: storage, network: network, data: data}
	migration := newMigrations(scope, r)
	migration.stack.AddStackDependency(keys.stack, jsii.String("it reads secrets by their names"))
	functions := newFunctions(scope, r)
	functions.stack.AddStackDependency(keys.stack, jsii.String("they read secrets and public keys by their names"))
	functions.stack.AddStackDependency(migration.stack, jsii.String("the schema comes before the code that needs it"))
	api, err := newAPI(scope, p, functions)
	if err != nil {
		return err
	}
	if p.Edge {
		newEdge(scope, p, api)
	}
	newSchedules(scope, p, functions)
	newObservability(scope, r, functions, api)
	return nil
}

// stateful are the stacks whose loss cannot be repaired by another deploy.
var stateful = []string{"data", "keys", "queues", "storage"}

// newStack makes the stack called part, whose resources all have the tags of the deployment.
func newStack(scope constructs.Construct, s settings, part, description string) awscdk.Stack {
	env := &awscdk.Environment{}
	if s.Account != "" {
		env.Account = jsii.String(s.Account)
	}
	if s.Region != "" {
		env.Region = jsii.String(s.Region)
	}
	stack := awscdk.NewStack(scope, jsii.String(s.name(part)), &awscdk.StackProps{
		Env: env, Description: jsii.String(description), TerminationProtection: jsii.Bool(s.Protect && slices.Contains(stateful, part)),
	})
	tags := awscdk.Tags_Of(stack)
	// cfn-lint does not accept tags on dashboards.
	except := &awscdk.TagProps{ExcludeResourceTypes: jsii.Strings("AWS::CloudWatch::Dashboard")}
	tags.Add(jsii.String("application"), jsii.String("lafaekstreet"), except)
	tags.Add(jsii.String("stage"), jsii.String(s.Stage), except)
	return stack
}

// output is a value of the stack for people and scripts.
func output(stack awscdk.Stack, name, description string, value *string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: value, Description: jsii.String(description)})
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// migration brings the schema up to date during a deploy: after the database is there, before the functions change. The new
// schema works with the old code; see migrations/.
type migration struct {
	stack    awscdk.Stack
	function *goFunction
}

func newMigrations(scope constructs.Construct, r *resources) *migration {
	g := &migration{stack: newStack(scope, r.settings, "migrations", "Schema of the database")}
	s := r.spec("migrate")
	env, policy := r.configure(g.stack, s)
	g.function = newGoFunction(g.stack, r.plan, s, env, policy, r.networkOf(s))
	schema := awscdk.NewCustomResource(g.stack, jsii.String("schema"), &awscdk.CustomResourceProps{
		ServiceToken: g.function.function.FunctionArn(), ResourceType: jsii.String("Custom::Schema"),
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN, ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(15.0)),
		// CloudFormation calls the function again when one of these changes: the hash of the migrations, what the function is
		// configured with, such as the database and the logins that it makes, or the setting revision, after which secrets are read again.
		Properties: &map[string]any{"Schema": r.schema, "Configuration": env, "Revision": r.Revision},
	})
	output(g.stack, "RecoveryPoint", "Restore the database as of this instant to undo the latest migration",
		schema.GetAttString(jsii.String("RecoveryPoint")))
	return g
}

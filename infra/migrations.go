package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// migration brings the schema up to date during a deploy, after the database and
// before the functions. The new schema works with the old code: see migrations.
type migration struct {
	stack    awscdk.Stack
	function *goFunction
}

func newMigrations(scope constructs.Construct, m *means) *migration {
	g := &migration{stack: newStack(scope, m.settings, "migrations", "Schema of the database")}
	j, _ := m.job("migrate")
	env, policy := m.of(g.stack, j)
	g.function = newGoFunction(g.stack, m.plan, j, env, policy, m.network.place())
	schema := awscdk.NewCustomResource(g.stack, jsii.String("schema"), &awscdk.CustomResourceProps{
		ServiceToken: g.function.function.FunctionArn(), ResourceType: jsii.String("Custom::Schema"),
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN, ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(15.0)),
		// A new hash has CloudFormation call the function again.
		Properties: &map[string]any{"Schema": m.schema},
	})
	output(g.stack, "RecoveryPoint", "Restore the database as of this instant to undo the latest migration",
		schema.GetAttString(jsii.String("RecoveryPoint")))
	return g
}

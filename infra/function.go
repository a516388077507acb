package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// goFunction is a function of this repository in AWS. Everything about how a Go
// binary runs is decided here once; nothing is granted but the statements given.
type goFunction struct {
	job      job
	function awslambda.Function
	role     awsiam.Role
}

// environment is the configuration of a function, by variable.
type environment map[string]*string

// statement is one permission.
type statement struct {
	sid        string
	actions    []string
	resources  []*string
	conditions map[string]any
}

// place is where a function with access to the database stands; nil: outside of any VPC.
type place struct {
	vpc   awsec2.IVpc
	group awsec2.ISecurityGroup
}

func newGoFunction(stack awscdk.Stack, p *plan, j job, env environment, policy []statement, at *place) *goFunction {
	id := j.name
	logs := awslogs.NewLogGroup(stack, jsii.String(id+"-logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + p.name(id)), Retention: retention(p.LogDays),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(stack, jsii.String(id+"-role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What the function " + id + " may do"),
	})
	// The name ends in :* in itself: streams of this one group.
	policy = append(slices.Clone(policy), statement{"Log", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, []*string{logs.LogGroupArn()}, nil})
	if p.Tracing {
		policy = append(policy, statement{"Trace", []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, []*string{jsii.String("*")}, nil})
	}
	if at != nil {
		policy = append(policy, statement{"StandInNetwork", []string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"},
			[]*string{jsii.String("*")}, nil})
	}
	grant := awsiam.NewPolicy(stack, jsii.String(id+"-policy"), &awsiam.PolicyProps{Roles: &[]awsiam.IRole{role}})
	for _, s := range policy {
		grant.AddStatements(s.iam())
	}
	// Lambda and CDK would widen the role on their own; all it needs is above.
	fixed := role.WithoutPolicyUpdates(nil)

	variables := make(map[string]*string, len(env))
	maps.Copy(variables, env)
	props := &awslambda.FunctionProps{
		FunctionName: jsii.String(p.name(id)), Description: jsii.String("LafaekStreet: " + id),
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Architecture: awslambda.Architecture_ARM_64(),
		Handler: jsii.String("bootstrap"), Code: awslambda.Code_FromAsset(jsii.String(p.asset(id)), nil),
		MemorySize: jsii.Number(j.memory), Timeout: awscdk.Duration_Seconds(jsii.Number(j.timeout)),
		LogGroup: logs, Role: fixed, Environment: &variables,
		RetryAttempts:         jsii.Number(2.0),
		CurrentVersionOptions: &awslambda.VersionOptions{RemovalPolicy: awscdk.RemovalPolicy_RETAIN},
	}
	if p.Tracing {
		props.Tracing = awslambda.Tracing_ACTIVE
	}
	if at != nil {
		props.Vpc, props.SecurityGroups = at.vpc, &[]awsec2.ISecurityGroup{at.group}
		props.VpcSubnets = &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS}
	}
	f := &goFunction{job: j, role: role, function: awslambda.NewFunction(stack, jsii.String(id), props)}
	f.function.Node().AddDependency(grant)
	return f
}

func (s statement) iam() awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Sid: jsii.String(s.sid), Actions: jsii.Strings(s.actions...), Resources: &s.resources}
	if s.conditions != nil {
		props.Conditions = &s.conditions
	}
	return awsiam.NewPolicyStatement(props)
}

func retention(days float64) awslogs.RetentionDays {
	names := map[float64]awslogs.RetentionDays{
		1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
		7: awslogs.RetentionDays_ONE_WEEK, 14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH,
		60: awslogs.RetentionDays_TWO_MONTHS, 90: awslogs.RetentionDays_THREE_MONTHS, 120: awslogs.RetentionDays_FOUR_MONTHS,
		150: awslogs.RetentionDays_FIVE_MONTHS, 180: awslogs.RetentionDays_SIX_MONTHS, 365: awslogs.RetentionDays_ONE_YEAR,
		400: awslogs.RetentionDays_THIRTEEN_MONTHS, 545: awslogs.RetentionDays_EIGHTEEN_MONTHS, 731: awslogs.RetentionDays_TWO_YEARS,
	}
	return names[days]
}

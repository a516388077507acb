package main

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// goFunction is a function of this repository in AWS. How a Go binary runs is decided here alone.
type goFunction struct {
	spec     spec
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

// newGoFunction makes the function of s with exactly the permissions of policy, and those that every function needs: its
// own log, tracing, and a network interface if it runs in the network n. A nil n is outside of any VPC.
func newGoFunction(stack awscdk.Stack, p *plan, s spec, env environment, policy []statement, n *network) *goFunction {
	id := s.id()
	logs := awslogs.NewLogGroup(stack, jsii.String(id+"-logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + p.name(id)), Retention: retention(p.LogDays),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	rights := &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What the function " + id + " may do"),
	}
	if s.grants.ledgerKey || s.grants.logKey {
		rights.RoleName = jsii.String(p.signerRole(stack))
	}
	role := awsiam.NewRole(stack, jsii.String(id+"-role"), rights)
	attached := awsiam.NewPolicy(stack, jsii.String(id+"-policy"), &awsiam.PolicyProps{Roles: &[]awsiam.IRole{role}})
	for _, statement := range append(slices.Clone(policy), standardStatements(p, logs, n != nil)...) {
		attached.AddStatements(statement.iam())
	}
	variables := maps.Clone(map[string]*string(env))
	if p.Revision != "" { // nothing reads it; with another value Lambda starts the function anew
		variables["REVISION"] = jsii.String(p.Revision)
	}
	props := &awslambda.FunctionProps{
		FunctionName: jsii.String(p.name(id)), Description: jsii.String("LafaekStreet: " + id),
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Architecture: awslambda.Architecture_ARM_64(),
		Handler: jsii.String("bootstrap"), Code: awslambda.Code_FromAsset(jsii.String(p.asset(id)), nil),
		MemorySize: jsii.Number(float64(s.Memory)), Timeout: seconds(s.Timeout),
		// Without WithoutPolicyUpdates, Lambda and CDK would add permissions of their own to the role.
		LogGroup: logs, Role: role.WithoutPolicyUpdates(nil), Environment: &variables,
		RetryAttempts:         jsii.Number(2.0),
		CurrentVersionOptions: &awslambda.VersionOptions{RemovalPolicy: awscdk.RemovalPolicy_RETAIN},
	}
	if p.Tracing {
		props.Tracing = awslambda.Tracing_ACTIVE
	}
	if n != nil {
		props.Vpc, props.SecurityGroups = n.vpc, &[]awsec2.ISecurityGroup{n.functions}
		props.VpcSubnets = &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS}
	}
	f := &goFunction{spec: s, role: role, function: awslambda.NewFunction(stack, jsii.String(id), props)}
	f.function.Node().AddDependency(attached)
	return f
}

// standardStatements are the permissions that every function has.
func standardStatements(p *plan, logs awslogs.LogGroup, inVPC bool) []statement {
	// The ARN of a log group ends in :*, which stands for the streams of this group.
	out := []statement{{"Log", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, []*string{logs.LogGroupArn()}, nil}}
	if p.Tracing {
		out = append(out, statement{"Trace", []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, []*string{jsii.String("*")}, nil})
	}
	if inVPC {
		out = append(out, statement{"StandInNetwork", []string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"},
			[]*string{jsii.String("*")}, nil})
	}
	return out
}

func (s statement) iam() awsiam.PolicyStatement {
	props := &awsiam.PolicyStatementProps{Sid: jsii.String(s.sid), Actions: jsii.Strings(s.actions...), Resources: &s.resources}
	if s.conditions != nil {
		props.Conditions = &s.conditions
	}
	return awsiam.NewPolicyStatement(props)
}

func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}

func minutes(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Minutes(jsii.Number(d.Minutes()))
}

func days(n float64) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(n)) }

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

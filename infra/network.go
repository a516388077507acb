package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// network is the VPC of the managed profile, where every function with access to the database runs. It is nil in the
// external profile.
type network struct {
	stack awscdk.Stack
	vpc   awsec2.Vpc
	// functions is the security group of every function.
	functions awsec2.SecurityGroup
}

const subnetIsolated, subnetFunctions = "data", "functions"

func newNetwork(scope constructs.Construct, p *plan) *network {
	if !p.managed() {
		return nil
	}
	n := &network{stack: newStack(scope, p.settings, "network", "VPC: isolated data, functions with access to the internet")}
	provider, instances := natProvider(p)
	n.vpc = awsec2.NewVpc(n.stack, jsii.String("vpc"), &awsec2.VpcProps{
		MaxAzs: jsii.Number(2.0), NatGateways: jsii.Number(1.0), NatGatewayProvider: provider,
		IpAddresses: awsec2.IpAddresses_Cidr(jsii.String("10.40.0.0/16")), RestrictDefaultSecurityGroup: jsii.Bool(false),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			{Name: jsii.String("public"), SubnetType: awsec2.SubnetType_PUBLIC, CidrMask: jsii.Number(24.0), MapPublicIpOnLaunch: jsii.Bool(false)},
			{Name: jsii.String(subnetFunctions), SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS, CidrMask: jsii.Number(20.0)},
			{Name: jsii.String(subnetIsolated), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: jsii.Number(24.0)},
		},
		// Traffic to S3 does not pass the NAT, which charges by the byte.
		GatewayEndpoints: &map[string]*awsec2.GatewayVpcEndpointOptions{"s3": {Service: awsec2.GatewayVpcEndpointAwsService_S3()}},
	})
	if instances != nil {
		instances.Connections().AllowFrom(awsec2.Peer_Ipv4(n.vpc.VpcCidrBlock()), awsec2.Port_AllTraffic(), jsii.String("what the functions send out"))
	}
	n.functions = awsec2.NewSecurityGroup(n.stack, jsii.String("functions"), &awsec2.SecurityGroupProps{
		Vpc: n.vpc, Description: jsii.String("Functions: nothing in, all out"), AllowAllOutbound: jsii.Bool(true),
	})
	return n
}

// natProvider is how functions reach the internet: an instance for about USD 4 a month, or AWS's gateway for about USD 33,
// which nobody has to maintain.
func natProvider(p *plan) (awsec2.NatProvider, awsec2.NatInstanceProviderV2) {
	if p.Nat == "gateway" {
		return awsec2.NatProvider_Gateway(nil), nil
	}
	instances := awsec2.NatProvider_InstanceV2(&awsec2.NatInstanceProps{
		InstanceType: awsec2.NewInstanceType(jsii.String("t4g.nano")),
		MachineImage: awsec2.MachineImage_LatestAmazonLinux2023(&awsec2.AmazonLinux2023ImageSsmParameterProps{
			CpuType: awsec2.AmazonLinuxCpuType_ARM_64,
		}),
		DefaultAllowedTraffic: awsec2.NatTrafficDirection_OUTBOUND_ONLY,
	})
	return instances, instances
}

package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// natType is the type of the NAT instance.
const natType = "t4g.nano"

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
	props := &awsec2.VpcProps{
		MaxAzs: jsii.Number(2.0), NatGateways: jsii.Number(1.0), NatGatewayProvider: provider,
		IpAddresses: awsec2.IpAddresses_Cidr(jsii.String("10.40.0.0/16")), RestrictDefaultSecurityGroup: jsii.Bool(false),
		SubnetConfiguration: &[]*awsec2.SubnetConfiguration{
			{Name: jsii.String("public"), SubnetType: awsec2.SubnetType_PUBLIC, CidrMask: jsii.Number(24.0), MapPublicIpOnLaunch: jsii.Bool(false)},
			{Name: jsii.String(subnetFunctions), SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS, CidrMask: jsii.Number(20.0)},
			{Name: jsii.String(subnetIsolated), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED, CidrMask: jsii.Number(24.0)},
		},
		// Traffic to S3 does not pass the NAT, which charges by the byte.
		GatewayEndpoints: &map[string]*awsec2.GatewayVpcEndpointOptions{"s3": {Service: awsec2.GatewayVpcEndpointAwsService_S3()}},
	}
	if len(p.Zones) > 0 {
		props.MaxAzs, props.AvailabilityZones = nil, jsii.Strings(p.Zones...)
	}
	n.vpc = awsec2.NewVpc(n.stack, jsii.String("vpc"), props)
	if instances != nil {
		instances.Connections().AllowFrom(awsec2.Peer_Ipv4(n.vpc.VpcCidrBlock()), awsec2.Port_AllTraffic(), jsii.String("what the functions send out"))
		nat := (*instances.GatewayInstances())[0]
		n.launch(p, nat)
		n.watch(p, nat)
	}
	n.functions = awsec2.NewSecurityGroup(n.stack, jsii.String("functions"), &awsec2.SecurityGroupProps{
		Vpc: n.vpc, Description: jsii.String("Functions: nothing in, all out"), AllowAllOutbound: jsii.Bool(true),
	})
	return n
}

// natUserData sets up a NAT instance at its first start.
//
//go:embed nat.sh
var natUserData string

// newestImage is the parameter with the id of the newest Amazon Linux 2023 for arm64 in each region.
const newestImage = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"

// natProvider is how functions reach the internet: an instance for about USD 7 a month, or AWS's gateway for about USD 33,
// which nobody has to maintain.
func natProvider(p *plan) (awsec2.NatProvider, awsec2.NatInstanceProviderV2) {
	if p.Nat == "gateway" {
		return awsec2.NatProvider_Gateway(nil), nil
	}
	instances := awsec2.NatProvider_InstanceV2(&awsec2.NatInstanceProps{
		InstanceType: awsec2.NewInstanceType(jsii.String(natType)), AssociatePublicIpAddress: jsii.Bool(true),
		// The launch template names the image; see launch.
		MachineImage:          awsec2.MachineImage_ResolveSsmParameterAtLaunch(jsii.String(newestImage), nil),
		UserData:              awsec2.UserData_Custom(jsii.String(natUserData)),
		DefaultAllowedTraffic: awsec2.NatTrafficDirection_OUTBOUND_ONLY,
	})
	return instances, instances
}

// launch has the instance take its image from a launch template. EC2 looks the newest image up when it makes the instance, and
// the template of the stack does not change with it. A deploy replaces the instance only if the setting nat_image or nat.sh has
// changed: each makes a new version of the launch template.
func (n *network) launch(p *plan, instance awsec2.Instance) {
	image := p.NatImage
	if image == "" {
		image = "resolve:ssm:" + newestImage
	}
	hash := sha256.Sum256([]byte(natUserData))
	template := awsec2.NewCfnLaunchTemplate(n.stack, jsii.String("nat"), &awsec2.CfnLaunchTemplateProps{
		VersionDescription: jsii.String("nat.sh " + hex.EncodeToString(hash[:6])),
		LaunchTemplateData: &awsec2.CfnLaunchTemplate_LaunchTemplateDataProperty{
			ImageId:         jsii.String(image),
			MetadataOptions: &awsec2.CfnLaunchTemplate_MetadataOptionsProperty{HttpTokens: jsii.String("required")},
		},
	})
	awscdk.Validations_Of(template).Acknowledge(&awscdk.Acknowledgment{Id: jsii.String("CloudFormation-Validate::E1152"),
		Reason: jsii.String("A launch template may name a parameter in place of an image")})
	raw, ok := instance.Node().DefaultChild().(awsec2.CfnInstance)
	if !ok {
		panic("the NAT is not an instance of EC2")
	}
	raw.SetImageId(nil)
	raw.SetLaunchTemplate(&awsec2.CfnInstance_LaunchTemplateSpecificationProperty{
		LaunchTemplateId: template.Ref(), Version: template.AttrLatestVersionNumber(),
	})
}

// watch makes the alarms of the catalogue about the NAT instance. They are in this stack, and name the topic by its ARN: an
// instance whose id another stack imports could not be replaced.
func (n *network) watch(p *plan, instance awsec2.Instance) {
	for _, a := range catalog.Alarms() {
		if a.Signal.Scope != catalog.Nat {
			continue
		}
		newAlarm(n.stack, p.alarmTopic(n.stack), a, awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String("AWS/EC2"), MetricName: jsii.String(a.Signal.AWS), Statistic: jsii.String(string(a.Signal.Statistic)),
			Period: minutes(a.Period), DimensionsMap: &map[string]*string{"InstanceId": instance.InstanceId()},
		}))
	}
}

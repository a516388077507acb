package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Policies that CloudFront itself offers, by the ids in its documentation ("Use managed cache policies", "Use managed origin
// request policies").
const (
	cachingDisabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
	allButHost       = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
	// cloudFrontZone is the hosted zone of every distribution.
	cloudFrontZone = "Z2FDTNDATAQYW2"
)

// newEdge puts a CloudFront distribution with a firewall in front of the API: AWS has no firewall for an HTTP API. The
// distribution sends a key to the functions. They refuse requests without this key, so that no client can avoid the
// firewall. The distribution caches only the files of the pages, whose paths contain a hash of their content, the public log and
// published pictures, for as long as the answers allow: 5 seconds, 5 minutes or for good. All other answers depend on the caller.
func newEdge(scope constructs.Construct, p *plan, a *api) {
	stack := newStack(scope, p.settings, "edge", "Distribution and firewall in front of the API")
	distribution := awscloudfront.NewCfnDistribution(stack, jsii.String("distribution"), &awscloudfront.CfnDistributionProps{
		DistributionConfig: distributionConfig(p, a, newFirewall(stack, p), newViewerFunction(stack, p), newViewerHeaders(stack, p)),
	})
	url := "https://" + *distribution.AttrDomainName()
	if p.Domain != "" {
		url = "https://" + p.Domain
		output(stack, "DomainTarget", "What the domain's record must point at", distribution.AttrDomainName())
	}
	if p.HostedZone != "" {
		for _, r := range []struct{ id, kind string }{{"domain-record", "A"}, {"domain-record-ipv6", "AAAA"}} {
			awsroute53.NewCfnRecordSet(stack, jsii.String(r.id), &awsroute53.CfnRecordSetProps{
				HostedZoneId: jsii.String(p.HostedZone), Name: jsii.String(p.Domain + "."), Type: jsii.String(r.kind),
				AliasTarget: &awsroute53.CfnRecordSet_AliasTargetProperty{DnsName: distribution.AttrDomainName(), HostedZoneId: jsii.String(cloudFrontZone)},
			})
		}
	}
	output(stack, "URL", "Where the API is", jsii.String(url))
}

// newFirewall makes a firewall that blocks an address which sends more than EdgeRate requests, and returns its ARN.
func newFirewall(stack awscdk.Stack, p *plan) *string {
	return awswafv2.NewCfnWebACL(stack, jsii.String("firewall"), &awswafv2.CfnWebACLProps{
		Name: jsii.String(p.name("edge")), Scope: jsii.String("CLOUDFRONT"),
		DefaultAction:    &awswafv2.CfnWebACL_DefaultActionProperty{Allow: &awswafv2.CfnWebACL_AllowActionProperty{}},
		VisibilityConfig: visible(p.name("edge")),
		Rules: []any{&awswafv2.CfnWebACL_RuleProperty{
			Name: jsii.String("rate"), Priority: jsii.Number(0.0), VisibilityConfig: visible(p.name("rate")),
			Action: &awswafv2.CfnWebACL_RuleActionProperty{Block: &awswafv2.CfnWebACL_BlockActionProperty{
				CustomResponse: &awswafv2.CfnWebACL_CustomResponseProperty{ResponseCode: jsii.Number(429.0)},
			}},
			Statement: &awswafv2.CfnWebACL_StatementProperty{RateBasedStatement: &awswafv2.CfnWebACL_RateBasedStatementProperty{
				AggregateKeyType: jsii.String("IP"), Limit: jsii.Number(p.EdgeRate), EvaluationWindowSec: jsii.Number(300.0),
			}},
		}},
	}).AttrArn()
}

// viewerFunction tells the API the host that the client asked for, and the address of the client. It replaces what a client
// sends in these headers. The distribution itself names the host of the API to it, and what API Gateway makes of
// X-Forwarded-For is not documented.
const viewerFunction = `function handler(event) {
    var request = event.request;
    request.headers['x-viewer-host'] = { value: request.headers.host.value };
    request.headers['x-viewer-address'] = { value: event.viewer.ip };
    return request;
}`

// newViewerFunction makes viewerFunction and returns its ARN.
func newViewerFunction(stack awscdk.Stack, p *plan) *string {
	return awscloudfront.NewCfnFunction(stack, jsii.String("host"), &awscloudfront.CfnFunctionProps{
		Name: jsii.String(p.name("host")), FunctionCode: jsii.String(viewerFunction), AutoPublish: jsii.Bool(true),
		FunctionConfig: &awscloudfront.CfnFunction_FunctionConfigProperty{Comment: jsii.String("Host and address of the client"), Runtime: jsii.String("cloudfront-js-2.0")},
	}).AttrFunctionArn()
}

// newViewerHeaders makes a policy that passes on the headers of viewerFunction and no other header, and returns its id. They are
// no part of the key of the cache.
func newViewerHeaders(stack awscdk.Stack, p *plan) *string {
	return awscloudfront.NewCfnOriginRequestPolicy(stack, jsii.String("viewer-headers"), &awscloudfront.CfnOriginRequestPolicyProps{
		OriginRequestPolicyConfig: &awscloudfront.CfnOriginRequestPolicy_OriginRequestPolicyConfigProperty{
			Name: jsii.String(p.name("viewer")), Comment: jsii.String("Host and address of the client"),
			HeadersConfig: &awscloudfront.CfnOriginRequestPolicy_HeadersConfigProperty{
				HeaderBehavior: jsii.String("whitelist"), Headers: jsii.Strings("x-viewer-host", "x-viewer-address"),
			},
			CookiesConfig:      &awscloudfront.CfnOriginRequestPolicy_CookiesConfigProperty{CookieBehavior: jsii.String("none")},
			QueryStringsConfig: &awscloudfront.CfnOriginRequestPolicy_QueryStringsConfigProperty{QueryStringBehavior: jsii.String("none")},
		},
	}).AttrId()
}

// distributionConfig is the configuration of the distribution: its origin, what it caches, and its domain.
func distributionConfig(p *plan, a *api, firewall, viewer, viewerHeaders *string) *awscloudfront.CfnDistribution_DistributionConfigProperty {
	const origin = "api"
	onRequest := []any{&awscloudfront.CfnDistribution_FunctionAssociationProperty{EventType: jsii.String("viewer-request"), FunctionArn: viewer}}
	config := &awscloudfront.CfnDistribution_DistributionConfigProperty{
		// With another comment CloudFormation updates the distribution, and reads the secret again.
		Enabled: jsii.Bool(true), Comment: jsii.String(strings.TrimSpace(p.name("edge") + " " + p.Revision)), HttpVersion: jsii.String("http2and3"), Ipv6Enabled: jsii.Bool(true),
		WebAclId: firewall,
		Origins: []any{&awscloudfront.CfnDistribution_OriginProperty{
			Id: jsii.String(origin), DomainName: awscdk.Fn_Select(jsii.Number(2.0), awscdk.Fn_Split(jsii.String("/"), a.endpoint, nil)),
			CustomOriginConfig: &awscloudfront.CfnDistribution_CustomOriginConfigProperty{
				OriginProtocolPolicy: jsii.String("https-only"), OriginSslProtocols: jsii.Strings("TLSv1.2"), OriginReadTimeout: jsii.Number(30.0),
			},
			OriginCustomHeaders: []any{&awscloudfront.CfnDistribution_OriginCustomHeaderProperty{
				// CloudFormation reads the secret during a deploy; the value is in no template. CloudFront refuses names that begin
				// with x-edge- or x-amz-.
				HeaderName: jsii.String("x-origin-key"), HeaderValue: jsii.String("{{resolve:secretsmanager:" + p.name("token-edge") + "}}"),
			}},
		}},
		DefaultCacheBehavior: &awscloudfront.CfnDistribution_DefaultCacheBehaviorProperty{
			TargetOriginId: jsii.String(origin), ViewerProtocolPolicy: jsii.String("redirect-to-https"),
			AllowedMethods: jsii.Strings("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"),
			CachePolicyId:  jsii.String(cachingDisabled), OriginRequestPolicyId: jsii.String(allButHost),
			FunctionAssociations: onRequest,
		},
	}
	var cached []any
	for _, pattern := range cachedPaths() {
		cached = append(cached, &awscloudfront.CfnDistribution_CacheBehaviorProperty{
			PathPattern: jsii.String(pattern), TargetOriginId: jsii.String(origin), ViewerProtocolPolicy: jsii.String("redirect-to-https"),
			CachePolicyId: jsii.String(cachingOptimized), Compress: jsii.Bool(true),
			OriginRequestPolicyId: viewerHeaders, FunctionAssociations: onRequest,
		})
	}
	config.CacheBehaviors = cached
	if p.Domain != "" {
		config.Aliases = jsii.Strings(p.Domain)
		config.ViewerCertificate = &awscloudfront.CfnDistribution_ViewerCertificateProperty{
			AcmCertificateArn: jsii.String(p.Certificate), SslSupportMethod: jsii.String("sni-only"), MinimumProtocolVersion: jsii.String("TLSv1.2_2021"),
		}
	}
	return config
}

// cachedPaths are the paths whose answers are the same for everybody.
func cachedPaths() []string {
	return []string{"/assets/*", "/log/*", "/api/v1/public/reports/*/images/*"}
}

func visible(name string) *awswafv2.CfnWebACL_VisibilityConfigProperty {
	return &awswafv2.CfnWebACL_VisibilityConfigProperty{
		MetricName: jsii.String(name), CloudWatchMetricsEnabled: jsii.Bool(true), SampledRequestsEnabled: jsii.Bool(false),
	}
}

package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// api is the HTTP API with the routes of the catalogue.
type api struct {
	stack awscdk.Stack
	id    *string
	url   *string
	// endpoint is the address of API Gateway itself.
	endpoint *string
	// made are the integrations and routes, in the order in which they are made.
	made []awscdk.CfnResource
}

// atOnce is how many integrations and routes CloudFormation makes at a time. API Gateway refuses more with 429.
const atOnce = 10

// inTurn has CloudFormation make a resource after the one that is atOnce places before it.
func (a *api) inTurn(r awscdk.CfnResource) {
	if n := len(a.made); n >= atOnce {
		r.AddResourceDependency(a.made[n-atOnce], nil)
	}
	a.made = append(a.made, r)
}

// accessLog is one line for each request. It has no query, header or address: those contain tokens and personal data.
const accessLog = `{"time":"$context.requestTime","id":"$context.requestId","route":"$context.routeKey",` +
	`"status":"$context.status","bytes":"$context.responseLength","latency":"$context.responseLatency",` +
	`"function":"$context.integrationLatency","error":"$context.integrationErrorMessage"}`

func newAPI(scope constructs.Construct, p *plan, f *functions) (*api, error) {
	a := &api{stack: newStack(scope, p.settings, "api", "HTTP API")}
	http := awsapigatewayv2.NewCfnApi(a.stack, jsii.String("http"), &awsapigatewayv2.CfnApiProps{
		Name: jsii.String(p.name("api")), ProtocolType: jsii.String("HTTP"), Description: jsii.String("LafaekStreet"),
		// The gateway answers preflights without calling a function, and its own errors have these headers too.
		CorsConfiguration: &awsapigatewayv2.CfnApi_CorsProperty{
			AllowOrigins: jsii.Strings(p.CORSOrigins...), AllowMethods: jsii.Strings(catalog.CORSMethods()...),
			AllowHeaders: lower(catalog.CORSHeaders()), ExposeHeaders: lower(catalog.CORSExposed()),
			MaxAge: jsii.Number(86400.0),
		},
	})
	a.id = http.Ref()
	if err := a.route(f); err != nil {
		return nil, err
	}
	a.stage(p)
	a.endpoint = http.AttrApiEndpoint()
	// The stack of a distribution imports it, and is still there when the setting edge is off again.
	a.stack.ExportValue(a.endpoint, nil)
	if p.Edge { // the distribution has the domain, and clients call it
		return a, nil
	}
	a.url = a.endpoint
	if p.Domain != "" {
		a.domain(p)
	}
	output(a.stack, "URL", "Where the API is", a.url)
	return a, nil
}

// lower returns names of headers in the form in which API Gateway keeps them.
func lower(names []string) *[]*string {
	return jsii.Strings(strings.Split(strings.ToLower(strings.Join(names, " ")), " ")...)
}

// route makes the routes of the catalogue, and one integration for each function they lead to.
func (a *api) route(f *functions) error {
	targets := make(map[catalog.FunctionName]*string)
	for _, r := range catalog.GatewayRoutes() {
		if targets[r.Function] == nil {
			alias, ok := f.aliases[r.Function]
			if !ok {
				return fmt.Errorf("the catalogue has a route %s to %q, which is no HTTP function", r.Key, r.Function)
			}
			targets[r.Function] = a.integrate(string(r.Function), alias)
		}
		a.add(r.Key, targets[r.Function])
	}
	return nil
}

// integrate lets the API call a function, and returns the target of its routes.
func (a *api) integrate(name string, alias awslambda.Alias) *string {
	integration := awsapigatewayv2.NewCfnIntegration(a.stack, jsii.String(name), &awsapigatewayv2.CfnIntegrationProps{
		ApiId: a.id, IntegrationType: jsii.String("AWS_PROXY"), IntegrationUri: alias.FunctionArn(),
		PayloadFormatVersion: jsii.String("2.0"), TimeoutInMillis: jsii.Number(float64(catalog.GatewayTimeout.Milliseconds())),
	})
	a.inTurn(integration)
	awslambda.NewCfnPermission(a.stack, jsii.String(name+"-permission"), &awslambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunction"), FunctionName: alias.FunctionArn(), Principal: jsii.String("apigateway.amazonaws.com"),
		SourceArn: a.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("execute-api"), Resource: a.id, ResourceName: jsii.String("*/*")}),
	})
	return jsii.String("integrations/" + *integration.Ref())
}

func (a *api) add(key string, target *string) {
	id := "route-" + strings.NewReplacer(" ", "-", "/", "-", "{", "", "}", "", "+", "-rest", "$", "", ".", "-").Replace(key)
	a.inTurn(awsapigatewayv2.NewCfnRoute(a.stack, jsii.String(id), &awsapigatewayv2.CfnRouteProps{
		ApiId: a.id, RouteKey: jsii.String(key), Target: target,
	}))
}

func (a *api) stage(p *plan) {
	logs := awslogs.NewLogGroup(a.stack, jsii.String("access-logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/apigateway/" + p.name("api")), Retention: retention(p.LogDays), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	stage := awsapigatewayv2.NewCfnStage(a.stack, jsii.String("stage"), &awsapigatewayv2.CfnStageProps{
		ApiId: a.id, StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true),
		AccessLogSettings: &awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
			DestinationArn: logs.LogGroupArn(), Format: jsii.String(accessLog),
		},
		DefaultRouteSettings: &awsapigatewayv2.CfnStage_RouteSettingsProperty{
			ThrottlingRateLimit: jsii.Number(p.ThrottleRate), ThrottlingBurstLimit: jsii.Number(p.ThrottleBurst),
			DetailedMetricsEnabled: jsii.Bool(false),
		},
	})
	// A stage that is there is deployed anew for each route.
	for _, last := range a.made[max(0, len(a.made)-atOnce):] {
		stage.AddResourceDependency(last, nil)
	}
}

func (a *api) domain(p *plan) {
	domain := awsapigatewayv2.NewCfnDomainName(a.stack, jsii.String("domain"), &awsapigatewayv2.CfnDomainNameProps{
		DomainName: jsii.String(p.Domain),
		DomainNameConfigurations: []any{&awsapigatewayv2.CfnDomainName_DomainNameConfigurationProperty{
			CertificateArn: jsii.String(p.Certificate), EndpointType: jsii.String("REGIONAL"), SecurityPolicy: jsii.String("TLS_1_2"),
		}},
	})
	awsapigatewayv2.NewCfnApiMapping(a.stack, jsii.String("domain-mapping"), &awsapigatewayv2.CfnApiMappingProps{
		ApiId: a.id, DomainName: domain.Ref(), Stage: jsii.String("$default"),
	}).Node().AddDependency(a.stack.Node().FindChild(jsii.String("stage")))
	a.url = jsii.String("https://" + p.Domain)
	output(a.stack, "DomainTarget", "What the domain's record must point at", domain.AttrRegionalDomainName())
	if p.HostedZone == "" {
		return
	}
	awsroute53.NewCfnRecordSet(a.stack, jsii.String("domain-record"), &awsroute53.CfnRecordSetProps{
		HostedZoneId: jsii.String(p.HostedZone), Name: jsii.String(p.Domain + "."), Type: jsii.String("A"),
		AliasTarget: &awsroute53.CfnRecordSet_AliasTargetProperty{
			DnsName: domain.AttrRegionalDomainName(), HostedZoneId: domain.AttrRegionalHostedZoneId(),
		},
	})
}

package main

import (
	"fmt"
	"slices"
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

// api is the HTTP API: a route for each method and path of the catalogue, to its function.
type api struct {
	stack awscdk.Stack
	id    *string
	url   *string
	// endpoint is the address of API Gateway itself.
	endpoint *string
}

// accessLog is one line for each request. It has no query, header or address: those contain tokens and personal data.
const accessLog = `{"time":"$context.requestTime","id":"$context.requestId","route":"$context.routeKey",` +
	`"status":"$context.status","bytes":"$context.responseLength","latency":"$context.responseLatency",` +
	`"function":"$context.integrationLatency","error":"$context.integrationErrorMessage"}`

func newAPI(scope constructs.Construct, p *plan, f *functions) (*api, error) {
	a := &api{stack: newStack(scope, p.settings, "api", "HTTP API")}
	http := awsapigatewayv2.NewCfnApi(a.stack, jsii.String("http"), &awsapigatewayv2.CfnApiProps{
		Name: jsii.String(p.name("api")), ProtocolType: jsii.String("HTTP"), Description: jsii.String("LafaekStreet"),
		// The same as in shared/httpapi/request.go. The gateway answers preflights without calling a function.
		CorsConfiguration: &awsapigatewayv2.CfnApi_CorsProperty{
			AllowOrigins: jsii.Strings(p.CORSOrigins...), AllowMethods: jsii.Strings("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
			AllowHeaders: jsii.Strings("authorization", "content-type", "accept-language", "idempotency-key", "if-match", "if-none-match", "x-request-id"),
			ExposeHeaders: jsii.Strings("etag", "idempotent-replay", "retry-after", "ratelimit-limit", "ratelimit-remaining",
				"ratelimit-reset", "x-request-id", "x-truncated", "link"),
			MaxAge: jsii.Number(86400.0),
		},
	})
	a.id = http.Ref()
	if err := a.route(p, f); err != nil {
		return nil, err
	}
	a.stage(p)
	a.endpoint = http.AttrApiEndpoint()
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

// route makes the routes of the catalogue, and one integration for each function they lead to.
func (a *api) route(p *plan, f *functions) error {
	keys, owner, err := routeKeys(catalog.Routes())
	if err != nil {
		return err
	}
	keys, owner["$default"] = append(keys, "$default"), catalog.Fallback
	targets := make(map[catalog.FunctionName]*string)
	for _, key := range keys {
		name := owner[key]
		if targets[name] == nil {
			alias, ok := f.aliases[name]
			if !ok {
				return fmt.Errorf("the catalogue has a route %s to %q, which is no HTTP function", key, name)
			}
			targets[name] = a.integrate(string(name), alias)
		}
		a.add(key, targets[name])
	}
	return nil
}

// integrate lets the API call a function, and returns the target of its routes.
func (a *api) integrate(name string, alias awslambda.Alias) *string {
	integration := awsapigatewayv2.NewCfnIntegration(a.stack, jsii.String(name), &awsapigatewayv2.CfnIntegrationProps{
		ApiId: a.id, IntegrationType: jsii.String("AWS_PROXY"), IntegrationUri: alias.FunctionArn(),
		PayloadFormatVersion: jsii.String("2.0"), TimeoutInMillis: jsii.Number(float64(catalog.GatewayTimeout.Milliseconds())),
	})
	awslambda.NewCfnPermission(a.stack, jsii.String(name+"-permission"), &awslambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunction"), FunctionName: alias.FunctionArn(), Principal: jsii.String("apigateway.amazonaws.com"),
		SourceArn: a.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("execute-api"), Resource: a.id, ResourceName: jsii.String("*/*")}),
	})
	return jsii.String("integrations/" + *integration.Ref())
}

func (a *api) add(key string, target *string) {
	id := "route-" + strings.NewReplacer(" ", "-", "/", "-", "{", "", "}", "", "+", "-rest", "$", "", ".", "-").Replace(key)
	awsapigatewayv2.NewCfnRoute(a.stack, jsii.String(id), &awsapigatewayv2.CfnRouteProps{
		ApiId: a.id, RouteKey: jsii.String(key), Target: target,
	})
}

func (a *api) stage(p *plan) {
	logs := awslogs.NewLogGroup(a.stack, jsii.String("access-logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/apigateway/" + p.name("api")), Retention: retention(p.LogDays), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	awsapigatewayv2.NewCfnStage(a.stack, jsii.String("stage"), &awsapigatewayv2.CfnStageProps{
		ApiId: a.id, StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true),
		AccessLogSettings: &awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
			DestinationArn: logs.LogGroupArn(), Format: jsii.String(accessLog),
		},
		DefaultRouteSettings: &awsapigatewayv2.CfnStage_RouteSettingsProperty{
			ThrottlingRateLimit: jsii.Number(p.ThrottleRate), ThrottlingBurstLimit: jsii.Number(p.ThrottleBurst),
			DetailedMetricsEnabled: jsii.Bool(false),
		},
	})
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

// routeKeys returns the route keys of the HTTP API in a stable order, and the function that each leads to. Two paths of
// one function that differ by a slash at the end share a key; two functions with the same key are an error.
func routeKeys(routes []catalog.Route) ([]string, map[string]catalog.FunctionName, error) {
	owner := make(map[string]catalog.FunctionName)
	for _, r := range routes {
		for _, method := range r.Methods {
			for _, path := range gatewayPaths(r.Path) {
				key := method + " " + path
				if other, ok := owner[key]; ok && other != r.Function {
					return nil, nil, fmt.Errorf("route %s belongs to %s and to %s", key, other, r.Function)
				}
				owner[key] = r.Function
			}
		}
	}
	keys := make([]string, 0, len(owner))
	for key := range owner {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, owner, nil
}

// gatewayPaths are the paths of API Gateway that lead to path. An HTTP API accepts no route that ends in a slash, and
// does not document whether its route "/a" matches a request for "/a/". So a greedy route matches that too.
func gatewayPaths(path string) []string {
	bare := strings.TrimSuffix(path, "/")
	switch bare {
	case path:
		return []string{path}
	case "":
		return []string{"/"}
	default:
		return []string{bare, bare + "/{proxy+}"}
	}
}

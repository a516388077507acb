package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticache"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	databaseName = "lafaekstreet"
	ownerName    = "lafaek_owner"
	backupDays   = 14
	// appRole is the role that functions work as; see migrations/00001_extensions.sql.
	appRole = "lafaek_app"
	// caPath is where a function finds the certificates of the setting database_ca.
	caFile = "database-ca.pem"
	caPath = "/var/task/" + caFile
)

// data is the database and the cache.
type data struct {
	stack awscdk.Stack
	// database and cache are the variables by which a function reaches them, and the secrets that it reads for that.
	database, cache               environment
	databaseSecrets, cacheSecrets []secret
	cluster                       awsrds.DatabaseCluster
	// address is the rest of the URL of the database after the login; managed profile.
	address string
}

func newData(scope constructs.Construct, p *plan, n *network, k *keys) *data {
	if !p.managed() {
		return externalData(p, k)
	}
	d := &data{stack: newStack(scope, p.settings, "data", "Database and cache")}
	d.aurora(p, n, k)
	url := "rediss://no-cache.invalid:6379"
	if p.Cache {
		url = d.valkey(p, n, k)
		d.cache = environment{"CACHE_URL": jsii.String("{{resolve:ssm:" + p.name("cache-url") + "}}")}
	}
	// Functions refer to the address by this name: CloudFormation would refuse to remove a cache whose address they import. The
	// name stays when the cache goes. Functions that are rolled back then find an address where no cache answers, and work without one.
	awsssm.NewCfnParameter(d.stack, jsii.String("cache-url"), &awsssm.CfnParameterProps{
		Name: jsii.String(p.name("cache-url")), Type: jsii.String("String"), Value: jsii.String(url), Description: jsii.String("Address of the cache"),
	})
	return d
}

// externalData is a database and a cache outside of this account. Secrets that the operator has made contain their URLs.
// It uses the stack of the keys: a stack without resources cannot be deployed.
func externalData(p *plan, k *keys) *data {
	d := &data{stack: k.stack}
	url := named(d.stack, p.DatabaseSecret)
	d.database, d.databaseSecrets = environment{"DATABASE_URL_SECRET_ARN": url.arn}, []secret{url}
	if p.Cache && p.CacheSecret != "" {
		url := named(d.stack, p.CacheSecret)
		d.cache, d.cacheSecrets = environment{"CACHE_URL_SECRET_ARN": url.arn}, []secret{url}
	}
	output(d.stack, "DatabaseSecret", "Secret with the address of the database", url.arn)
	return d
}

func (d *data) aurora(p *plan, n *network, k *keys) {
	group := awsec2.NewSecurityGroup(d.stack, jsii.String("database-access"), &awsec2.SecurityGroupProps{
		Vpc: n.vpc, Description: jsii.String("PostgreSQL, from functions alone"), AllowAllOutbound: jsii.Bool(false),
	})
	group.AddIngressRule(n.functions, awsec2.Port_Tcp(jsii.Number(5432.0)), jsii.String("functions"), nil)
	d.cluster = awsrds.NewDatabaseCluster(d.stack, jsii.String("database"), &awsrds.DatabaseClusterProps{
		Engine: awsrds.DatabaseClusterEngine_AuroraPostgres(&awsrds.AuroraPostgresClusterEngineProps{
			Version: awsrds.AuroraPostgresEngineVersion_VER_17_7(),
		}),
		// The password becomes part of a URL: it may contain letters and digits only.
		Credentials: awsrds.Credentials_FromGeneratedSecret(jsii.String(ownerName), &awsrds.CredentialsBaseOptions{
			ExcludeCharacters: jsii.String(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), EncryptionKey: k.data,
			SecretName: jsii.String(p.name("database")),
		}),
		DefaultDatabaseName: jsii.String(databaseName),
		Vpc:                 n.vpc, VpcSubnets: &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED},
		SecurityGroups:          &[]awsec2.ISecurityGroup{group},
		ServerlessV2MinCapacity: jsii.Number(p.AuroraMin), ServerlessV2MaxCapacity: jsii.Number(p.AuroraMax),
		Writer: awsrds.ClusterInstance_ServerlessV2(jsii.String("writer"), &awsrds.ServerlessV2ClusterInstanceProps{
			AutoMinorVersionUpgrade: jsii.Bool(true), EnablePerformanceInsights: jsii.Bool(true), PerformanceInsightEncryptionKey: k.data,
		}),
		Backup:           &awsrds.BackupProps{Retention: days(backupDays), PreferredWindow: jsii.String("16:00-17:00")}, // 01:00 in Dili
		StorageEncrypted: jsii.Bool(true), StorageEncryptionKey: k.data, CopyTagsToSnapshot: jsii.Bool(true),
		IamAuthentication:  jsii.Bool(true),
		DeletionProtection: jsii.Bool(p.Protect), RemovalPolicy: p.removal(),
		Parameters:                clusterParameters(),
		CloudwatchLogsExports:     &[]*string{jsii.String("postgresql")},
		EnablePerformanceInsights: jsii.Bool(true), PerformanceInsightEncryptionKey: k.data, DatabaseInsightsMode: awsrds.DatabaseInsightsMode_STANDARD,
	})
	d.keepParts(p)
	if raw, ok := d.cluster.Node().DefaultChild().(awsrds.CfnDBCluster); ok && p.AuroraMin == 0 {
		raw.AddPropertyOverride(jsii.String("ServerlessV2ScalingConfiguration.SecondsUntilAutoPause"), 300)
	}
	d.address = "@" + *d.cluster.ClusterEndpoint().Hostname() + ":5432/" + databaseName + "?sslmode=verify-full&sslrootcert=" + caPath
	owner := d.cluster.Secret().SecretArn()
	d.databaseSecrets = []secret{{arn: owner, grant: owner}}
	d.database = environment{
		"DATABASE_PASSWORD_SECRET_ARN": jsii.String(*owner + "#password"),
		"DATABASE_URL":                 jsii.String("postgres://" + ownerName + ":${DATABASE_PASSWORD}" + d.address),
	}
	output(d.stack, "DatabaseSecret", "Secret with the owner's name and password", owner)
	output(d.stack, "DatabaseCluster", "For restores and figures", d.cluster.ClusterIdentifier())
}

// loginOf is the login of a function in the managed profile. It is made by migrate.
func loginOf(s spec) string { return "lafaek_" + s.id() }

// signIn is the configuration of a function that signs in with its own login and a token of AWS, and its right to do so. The right
// holds for a cluster of any id: a restored one has a new id and the same logins. Its network has no way to another stage's cluster.
func (d *data) signIn(stack awscdk.Stack, s spec) (environment, statement) {
	arn := stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("rds-db"), Resource: jsii.String("dbuser"),
		ResourceName: jsii.String("cluster-*/" + loginOf(s)), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME})
	return environment{"DATABASE_URL": jsii.String("postgres://" + loginOf(s) + d.address), "DATABASE_AUTH": jsii.String("iam")},
		statement{"SignIn", []string{"rds-db:connect"}, []*string{arn}, nil}
}

// clusterParameters are the settings of the database. Its log has statements that took longer than a second, without their
// arguments, and no values of rows in errors: these may be personal data. A session that is idle for five minutes ends, so that a
// cluster with a minimum of 0 ACU can pause.
func clusterParameters() *map[string]*string {
	return &map[string]*string{
		"rds.force_ssl":              jsii.String("1"),
		"log_min_duration_statement": jsii.String("1000"), // milliseconds
		"log_parameter_max_length":   jsii.String("0"),
		"log_error_verbosity":        jsii.String("terse"),
		"idle_session_timeout":       jsii.String("300000"), // milliseconds
	}
}

// keepParts has what belongs to the cluster stay or go with it: without the secret nobody knows the password of a cluster that stays,
// and a group that is in use cannot be deleted.
func (d *data) keepParts(p *plan) {
	for _, child := range *d.cluster.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if raw, ok := child.(awscdk.CfnResource); ok {
			raw.ApplyRemovalPolicy(p.removal(), nil)
		}
	}
}

// valkey makes a serverless cache and returns its address. The service accepts a name in lower case only.
func (d *data) valkey(p *plan, n *network, k *keys) string {
	group := awsec2.NewSecurityGroup(d.stack, jsii.String("cache-access"), &awsec2.SecurityGroupProps{
		Vpc: n.vpc, Description: jsii.String("Valkey, from functions alone"), AllowAllOutbound: jsii.Bool(false),
	})
	// 6379 is for writes, 6380 for reads from a replica.
	group.AddIngressRule(n.functions, awsec2.Port_TcpRange(jsii.Number(6379.0), jsii.Number(6380.0)), jsii.String("functions"), nil)
	subnets := n.vpc.SelectSubnets(&awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED})
	ids := make([]any, 0, len(*subnets.SubnetIds))
	for _, id := range *subnets.SubnetIds {
		ids = append(ids, id)
	}
	cache := awselasticache.NewCfnServerlessCache(d.stack, jsii.String("cache"), &awselasticache.CfnServerlessCacheProps{
		Engine: jsii.String("valkey"), MajorEngineVersion: jsii.String("8"), ServerlessCacheName: jsii.String(p.name("cache")),
		Description: jsii.String("Sessions, rate limits, hot reads"), KmsKeyId: k.data.KeyArn(),
		SecurityGroupIds: &[]any{group.SecurityGroupId()}, SubnetIds: &ids,
		CacheUsageLimits: &awselasticache.CfnServerlessCache_CacheUsageLimitsProperty{
			DataStorage:   &awselasticache.CfnServerlessCache_DataStorageProperty{Maximum: jsii.Number(1.0), Unit: jsii.String("GB")},
			EcpuPerSecond: &awselasticache.CfnServerlessCache_ECPUPerSecondProperty{Maximum: jsii.Number(5000.0)},
		},
	})
	// Functions of earlier deployments import both parts.
	address, port := cache.AttrEndpointAddress(), cache.AttrEndpointPort()
	d.stack.ExportValue(address, nil)
	d.stack.ExportValue(port, nil)
	return "rediss://" + *address + ":" + *port
}

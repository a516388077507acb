package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// keys are the keys of the ledger and of the public log, and the secrets of the system. With the setting protect they stay when their stack is
// deleted: without them the ledger's account and the sealed data are lost.
//
// Other stacks refer to secrets and public keys by their names. CloudFormation refuses to remove a value that another stack
// imports, and it changes the stack of the keys first: with imports, no generation of keys could be removed.
type keys struct {
	stack    awscdk.Stack
	ledger   awskms.Key
	log      awskms.Key // signs the checkpoints of the public log
	data     awskms.Key // managed profile: what is stored is encrypted under it
	signing  []secret   // private JWKs, the one in use first
	seal     []secret
	receipts secret // signs receipts
	setup    secret
	edge     secret // a distribution in front of the API sends it to the functions
	limits   secret // hides whose limits the database counts
	// public is the set of public keys (JWKs) that every HTTP function accepts tokens of.
	public string
}

// secret is one value in Secrets Manager.
type secret struct {
	arn *string
	// grant is the resource of a policy: the ARN, or a pattern where the random ending of the ARN is unknown.
	grant *string
}

func newKeys(scope constructs.Construct, p *plan) *keys {
	k := &keys{stack: newStack(scope, p.settings, "keys", "Keys of the ledger and the log, and secrets")}
	k.ledger = awskms.NewKey(k.stack, jsii.String("ledger"), &awskms.KeyProps{
		Description: jsii.String("Signs ledger messages of " + p.name("")[:len(p.name(""))-1]),
		KeySpec:     awskms.KeySpec_ECC_SECG_P256K1, KeyUsage: awskms.KeyUsage_SIGN_VERIFY,
		Alias: jsii.String("alias/" + p.name("ledger")), RemovalPolicy: p.removal(),
	})
	onlyAnchorSigns(p, k.stack, k.ledger)
	output(k.stack, "LedgerKey", "KMS key that is the Hedera account's key", k.ledger.KeyArn())
	k.makeLogKeys(p)
	if p.managed() || p.KeepDataKey {
		k.data = awskms.NewKey(k.stack, jsii.String("data"), &awskms.KeyProps{
			Description: jsii.String("Encrypts what is stored"), EnableKeyRotation: jsii.Bool(true),
			Alias: jsii.String("alias/" + p.name("data")), RemovalPolicy: p.removal(),
		})
	}
	k.make(p)
	return k
}

// makeLogKeys makes a key for each generation. The first one signs.
func (k *keys) makeLogKeys(p *plan) {
	for _, generation := range p.LogKeys {
		key := awskms.NewKey(k.stack, jsii.String("log-"+generation), &awskms.KeyProps{
			Description: jsii.String("Signs the checkpoints of " + p.LogOrigin), KeySpec: awskms.KeySpec_ECC_NIST_EDWARDS25519, KeyUsage: awskms.KeyUsage_SIGN_VERIFY,
			Alias: jsii.String("alias/" + p.name("log-"+generation)), RemovalPolicy: p.removal(),
		})
		onlyAnchorSigns(p, k.stack, key)
		k.keepExport(key.KeyArn())
		if k.log == nil {
			k.log = key
		}
	}
	output(k.stack, "LogKey", "KMS key that signs the checkpoints of the public log", k.log.KeyArn())
}

// signerRole is the name of the role of anchor, which signs. The name is fixed, so that a key can name the role before there is one. It
// has the region: names of roles are of the whole account.
func (p *plan) signerRole(stack awscdk.Stack) string { return p.name("anchor-") + *stack.Region() }

// onlyAnchorSigns denies signatures by key to all but the role of anchor: administrators of the account too, unless they change
// this policy first.
func onlyAnchorSigns(p *plan, stack awscdk.Stack, key awskms.Key) {
	role := stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("iam"), Region: jsii.String(""), Resource: jsii.String("role"), ResourceName: jsii.String(p.signerRole(stack))})
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("OnlyAnchorSigns"), Effect: awsiam.Effect_DENY, Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions: jsii.Strings("kms:Sign"), Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"ArnNotEquals": map[string]any{"aws:PrincipalArn": role}},
	}), jsii.Bool(false))
}

// keepExport exports a value even if no other stack uses it. CloudFormation refuses to remove an export in use: stacks of an
// earlier version of this program import it until they are updated.
func (k *keys) keepExport(value *string) { k.stack.ExportValue(value, nil) }

// make declares the secrets and has the function "keys" write a value into each.
func (k *keys) make(p *plan) {
	var names []string
	for _, generation := range p.TokenKeys {
		names = append(names, "signing-"+generation)
	}
	for _, generation := range p.SealKeys {
		names = append(names, "sealing-"+generation)
	}
	for _, generation := range p.ReceiptsKeys {
		names = append(names, "receipts-"+generation)
	}
	names = append(names, "token-setup", "token-edge", "token-ratelimits")
	arns := make([]*string, len(names))
	for i, name := range names {
		arns[i] = k.empty(p, name)
	}
	policy := []statement{{"WriteKeys", []string{"secretsmanager:PutSecretValue"}, arns, nil}}
	if k.data != nil {
		policy = append(policy, statement{"UseDataKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []*string{k.data.KeyArn()}, nil})
	}
	maker := newGoFunction(k.stack, p, p.spec("keys"), environment{}, policy, nil)
	var public []string
	for i, name := range names {
		kind, generation, _ := strings.Cut(name, "-")
		made := named(k.stack, p.name(name))
		resource := awscdk.NewCustomResource(k.stack, jsii.String("make-"+name), &awscdk.CustomResourceProps{
			ServiceToken: maker.function.FunctionArn(), ResourceType: jsii.String("Custom::Key"),
			RemovalPolicy: awscdk.RemovalPolicy_RETAIN, ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(5.0)),
			Properties: &map[string]any{"Kind": kind, "SecretId": arns[i], "KeyId": generation},
		})
		switch kind {
		case "signing":
			k.signing = append(k.signing, made)
			public = append(public, k.publish(p, name, resource.GetAttString(jsii.String("PublicKey"))))
		case "sealing":
			k.seal = append(k.seal, made)
		case "receipts":
			if generation == p.ReceiptsKeys[0] {
				k.receipts = made
			}
		default:
			switch generation {
			case "edge":
				k.edge = made
			case "ratelimits":
				k.limits = made
			default:
				k.setup = made
			}
		}
	}
	k.public = `{"keys":[` + strings.Join(public, ",") + `]}`
	output(k.stack, "AdminSetupSecret", "Secret with the token that admits the first administrator", k.setup.arn)
}

// publish stores a public key under a fixed name, and returns how a template refers to it. CloudFormation reads the key when
// it updates a function. The name has the generation, so that the text of the function changes with the list of keys.
func (k *keys) publish(p *plan, name string, key *string) string {
	k.keepExport(key) // functions of earlier deployments import it
	parameter := awsssm.NewCfnParameter(k.stack, jsii.String("public-"+name), &awsssm.CfnParameterProps{
		Name: jsii.String(p.name("public-" + name)), Type: jsii.String("String"), Value: key,
		Description: jsii.String("Public half of the key that signs tokens"),
	})
	parameter.ApplyRemovalPolicy(p.removal(), nil)
	return "{{resolve:ssm:" + p.name("public-"+name) + "}}"
}

// empty declares a secret without a value, and returns its ARN: the value is in no template.
func (k *keys) empty(p *plan, name string) *string {
	props := &awssecretsmanager.CfnSecretProps{
		Name: jsii.String(p.name(name)), Description: jsii.String("Written by the function keys; see infra/RUNBOOK.md, \"Rotating keys\""),
	}
	if k.data != nil {
		props.KmsKeyId = k.data.KeyArn()
	}
	s := awssecretsmanager.NewCfnSecret(k.stack, jsii.String(name), props)
	s.ApplyRemovalPolicy(p.removal(), nil)
	k.keepExport(s.Ref()) // functions of earlier deployments import it
	return s.Ref()
}

// named is a secret of this account and region, by its name.
func named(stack awscdk.Stack, name string) secret {
	arn := stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("secretsmanager"), Resource: jsii.String("secret"), ResourceName: jsii.String(name),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	// Secrets Manager adds a hyphen and six characters to the name in the ARN.
	return secret{arn: arn, grant: jsii.String(*arn + "-??????")}
}

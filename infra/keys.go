package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// keys are the keys of the ledger and of the public log, and the secrets of the system. With the setting protect they stay when their stack is
// deleted: without them the ledger's account and the sealed data are lost.
type keys struct {
	stack    awscdk.Stack
	ledger   awskms.Key
	log      awskms.Key // signs the checkpoints of the public log
	data     awskms.Key // managed profile: what is stored is encrypted under it
	signing  []secret   // private JWKs, the one in use first
	seal     []secret
	receipts secret // signs receipts
	setup    secret
	edge     secret // the distribution in front of the API sends it to the functions; empty without a distribution
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
	output(k.stack, "LedgerKey", "KMS key that is the Hedera account's key", k.ledger.KeyArn())
	k.makeLogKeys(p)
	if p.managed() {
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
		k.keepExport(key.KeyArn())
		if k.log == nil {
			k.log = key
		}
	}
	output(k.stack, "LogKey", "KMS key that signs the checkpoints of the public log", k.log.KeyArn())
}

// keepExport exports a value even if no other stack uses it. CloudFormation refuses to remove an export in use: while a former
// generation is still listed, the functions can change to the next one first.
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
	names = append(names, "token-setup")
	if p.Edge {
		names = append(names, "token-edge")
	}
	made := make([]secret, len(names))
	for i, name := range names {
		made[i] = k.empty(p, name)
	}
	policy := []statement{{"WriteKeys", []string{"secretsmanager:PutSecretValue"}, grantsOfSecrets(made), nil}}
	if k.data != nil {
		policy = append(policy, statement{"UseDataKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []*string{k.data.KeyArn()}, nil})
	}
	maker := newGoFunction(k.stack, p, p.spec("keys"), environment{}, policy, nil)
	var public []string
	for i, name := range names {
		kind, generation, _ := strings.Cut(name, "-")
		resource := awscdk.NewCustomResource(k.stack, jsii.String("make-"+name), &awscdk.CustomResourceProps{
			ServiceToken: maker.function.FunctionArn(), ResourceType: jsii.String("Custom::Key"),
			RemovalPolicy: awscdk.RemovalPolicy_RETAIN, ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(5.0)),
			Properties: &map[string]any{"Kind": kind, "SecretId": made[i].arn, "KeyId": generation},
		})
		switch kind {
		case "signing":
			k.signing = append(k.signing, made[i])
			public = append(public, *resource.GetAttString(jsii.String("PublicKey")))
		case "sealing":
			k.seal = append(k.seal, made[i])
		case "receipts":
			k.keepExport(made[i].arn)
			if generation == p.ReceiptsKeys[0] {
				k.receipts = made[i]
			}
		default:
			if generation == "edge" {
				k.edge = made[i]
				continue
			}
			k.setup = made[i]
		}
	}
	k.public = `{"keys":[` + strings.Join(public, ",") + `]}`
	output(k.stack, "AdminSetupSecret", "Secret with the token that admits the first administrator", k.setup.arn)
}

// empty declares a secret without a value: the value is in no template.
func (k *keys) empty(p *plan, name string) secret {
	props := &awssecretsmanager.CfnSecretProps{
		Name: jsii.String(p.name(name)), Description: jsii.String("Written by the function keys; see infra/RUNBOOK.md, \"Rotating keys\""),
	}
	if k.data != nil {
		props.KmsKeyId = k.data.KeyArn()
	}
	s := awssecretsmanager.NewCfnSecret(k.stack, jsii.String(name), props)
	s.ApplyRemovalPolicy(p.removal(), nil)
	return secret{arn: s.Ref(), grant: s.Ref()}
}

// named is a secret that the operator has made.
func named(stack awscdk.Stack, name string) secret {
	arn := stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("secretsmanager"), Resource: jsii.String("secret"), ResourceName: jsii.String(name),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
	// Secrets Manager adds a hyphen and six characters to the name in the ARN.
	return secret{arn: arn, grant: jsii.String(*arn + "-??????")}
}

// grantsOfSecrets are the resources of a policy about secrets.
func grantsOfSecrets(all []secret) []*string {
	out := make([]*string, len(all))
	for i, s := range all {
		out[i] = s.grant
	}
	return out
}

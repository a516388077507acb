package deployed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/infra/local/aws"
)

// The region and account of the stand-ins.
const (
	region  = aws.DefaultRegion
	account = aws.AccountID
)

// standIn is the stand-in for AWS, with clients for it.
type standIn struct {
	server *aws.Server
	sqs    *sqs.Client
	s3     *s3.Client
	kms    *kms.Client
	vault  *secretsmanager.Client
}

// AWS is the stand-in for AWS. Tests read its state.
func (d *Deployment) AWS() *aws.Server { return d.standIn.server }

// createResources makes queues, buckets, keys and secrets with the properties of the templates.
func (d *Deployment) createResources(ctx context.Context) error {
	server, err := aws.Start(aws.Options{})
	if err != nil {
		return err
	}
	d.stops = append(d.stops, server.Close)
	cfg := server.Config()
	d.standIn = &standIn{server, sqs.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		kms.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)}
	d.world = assembly.World{Region: region, Account: account, Attributes: make(map[string]map[string]string)}
	for _, step := range []func(context.Context) error{d.createQueues, d.createBuckets, d.createKeys, d.createSecrets} {
		if err := step(ctx); err != nil {
			return err
		}
		d.assembly.In(d.world)
	}
	return nil
}

// setAttribute stores an attribute that only a deploy decides, such as the address of a queue.
func (d *Deployment) setAttribute(n assembly.Named, attribute, value string) {
	if d.world.Attributes[n.Key()] == nil {
		d.world.Attributes[n.Key()] = make(map[string]string)
	}
	d.world.Attributes[n.Key()][attribute] = value
}

// createQueues makes the queues. Those without a redrive policy come first, because the others refer to them.
func (d *Deployment) createQueues(ctx context.Context) error {
	queues := d.assembly.OfType("AWS::SQS::Queue")
	slices.SortStableFunc(queues, func(a, b assembly.Named) int {
		return len(fmt.Sprint(a.Properties["RedrivePolicy"])) - len(fmt.Sprint(b.Properties["RedrivePolicy"]))
	})
	for _, q := range queues {
		attributes := make(map[string]string)
		for property, attribute := range map[string]string{"VisibilityTimeout": "VisibilityTimeout",
			"MessageRetentionPeriod": "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds"} {
			if v, ok := q.Properties[property].(float64); ok {
				attributes[attribute] = strconv.Itoa(int(v))
			}
		}
		if redrive, ok := q.Properties["RedrivePolicy"].(map[string]any); ok {
			text, err := json.Marshal(map[string]any{"maxReceiveCount": redrive["maxReceiveCount"],
				"deadLetterTargetArn": d.assembly.Text(q.Stack, redrive["deadLetterTargetArn"])})
			if err != nil {
				return fmt.Errorf("redrive policy of %s: %w", q.ID, err)
			}
			attributes["RedrivePolicy"] = string(text)
		}
		made, err := d.standIn.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{
			QueueName: awssdk.String(d.assembly.Text(q.Stack, q.Properties["QueueName"])), Attributes: attributes})
		if err != nil {
			return fmt.Errorf("create queue %s: %w", q.ID, err)
		}
		about, err := d.standIn.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
		if err != nil {
			return fmt.Errorf("read the ARN of queue %s: %w", q.ID, err)
		}
		d.setAttribute(q, "Ref", awssdk.ToString(made.QueueUrl))
		d.setAttribute(q, "Arn", about.Attributes[string(sqstypes.QueueAttributeNameQueueArn)])
	}
	return nil
}

// createBuckets makes the buckets and configures their events.
func (d *Deployment) createBuckets(ctx context.Context) error {
	for _, b := range d.assembly.OfType("AWS::S3::Bucket") {
		name := awssdk.String(d.assembly.Text(b.Stack, map[string]any{"Ref": b.ID}))
		lock, _ := b.Properties["ObjectLockEnabled"].(bool)
		if _, err := d.standIn.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name, ObjectLockEnabledForBucket: awssdk.Bool(lock)}); err != nil {
			return fmt.Errorf("create bucket: %w", err)
		}
		notification, _ := b.Properties["NotificationConfiguration"].(map[string]any)
		list, _ := notification["QueueConfigurations"].([]any)
		var queues []s3types.QueueConfiguration
		for _, e := range list {
			m, _ := e.(map[string]any)
			queue, ok := d.assembly.Find(b.Stack, m["Queue"])
			if !ok || !d.s3MaySend(queue) {
				return fmt.Errorf("S3 may not send to %v", m["Queue"])
			}
			queues = append(queues, s3types.QueueConfiguration{
				QueueArn: awssdk.String(d.assembly.Text(b.Stack, m["Queue"])),
				Events:   []s3types.Event{s3types.Event(d.assembly.Text(b.Stack, m["Event"]))},
				Filter:   &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: filterRules(m["Filter"])}},
			})
		}
		_, err := d.standIn.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
			Bucket: name, NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: queues}})
		if err != nil {
			return fmt.Errorf("notifications of the bucket: %w", err)
		}
	}
	return nil
}

func filterRules(filter any) []s3types.FilterRule {
	m, _ := filter.(map[string]any)
	key, _ := m["S3Key"].(map[string]any)
	rules, _ := key["Rules"].([]any)
	var out []s3types.FilterRule
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		name, _ := rule["Name"].(string)
		value, _ := rule["Value"].(string)
		out = append(out, s3types.FilterRule{Name: s3types.FilterRuleName(name), Value: awssdk.String(value)})
	}
	return out
}

// s3MaySend reports whether the policy of a queue lets S3 send to it. The stand-in for S3 does not check this.
func (d *Deployment) s3MaySend(queue assembly.Named) bool {
	for _, p := range d.assembly.OfType("AWS::SQS::QueuePolicy") {
		queues, _ := p.Properties["Queues"].([]any)
		if !slices.ContainsFunc(queues, func(q any) bool { n, ok := d.assembly.Find(p.Stack, q); return ok && n.Key() == queue.Key() }) {
			continue
		}
		document, _ := p.Properties["PolicyDocument"].(map[string]any)
		statements, _ := document["Statement"].([]any)
		for _, e := range statements {
			s, _ := e.(map[string]any)
			principal, _ := s["Principal"].(map[string]any)
			if s["Effect"] == "Allow" && principal["Service"] == "s3.amazonaws.com" && s["Action"] == "sqs:SendMessage" {
				return true
			}
		}
	}
	return false
}

func (d *Deployment) createKeys(ctx context.Context) error {
	for _, k := range d.assembly.OfType("AWS::KMS::Key") {
		spec, _ := k.Properties["KeySpec"].(string)
		if spec == "" { // encrypts what is stored, which no stand-in does
			continue
		}
		usage, _ := k.Properties["KeyUsage"].(string)
		made, err := d.standIn.kms.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: kmstypes.KeySpec(spec), KeyUsage: kmstypes.KeyUsageType(usage)})
		if err != nil {
			return fmt.Errorf("create key %s: %w", k.ID, err)
		}
		d.setAttribute(k, "Arn", awssdk.ToString(made.KeyMetadata.Arn))
		d.setAttribute(k, "Ref", awssdk.ToString(made.KeyMetadata.KeyId))
	}
	return nil
}

// LedgerKey is the public half of the key that signs ledger messages, as DER.
func (d *Deployment) LedgerKey(ctx context.Context) ([]byte, error) {
	for _, k := range d.assembly.OfType("AWS::KMS::Key") {
		if k.Properties["KeySpec"] == "ECC_SECG_P256K1" {
			out, err := d.standIn.kms.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: awssdk.String(d.world.Attributes[k.Key()]["Ref"])})
			if err != nil {
				return nil, fmt.Errorf("read the ledger key: %w", err)
			}
			return out.PublicKey, nil
		}
	}
	return nil, errors.New("the template has no ledger key")
}

// createSecrets makes the secrets of the operator with their values, and those of the templates without a value.
func (d *Deployment) createSecrets(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(d.options.Secrets)) {
		_, err := d.standIn.vault.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: awssdk.String(name), SecretString: awssdk.String(d.options.Secrets[name])})
		if err != nil {
			return fmt.Errorf("create secret %s: %w", name, err)
		}
	}
	for _, s := range d.assembly.OfType("AWS::SecretsManager::Secret") {
		made, err := d.standIn.vault.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: awssdk.String(d.assembly.Text(s.Stack, s.Properties["Name"]))})
		if err != nil {
			return fmt.Errorf("create secret %s: %w", s.ID, err)
		}
		d.setAttribute(s, "Ref", awssdk.ToString(made.ARN))
	}
	return nil
}

// Secret reads a secret as an operator would.
func (d *Deployment) Secret(ctx context.Context, name string) (string, error) {
	out, err := d.standIn.vault.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: awssdk.String(name)})
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", name, err)
	}
	return awssdk.ToString(out.SecretString), nil
}

package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
)

const (
	bucketName    = "lafaekstreet-media"
	logBucketName = "lafaekstreet-log"
	logOrigin     = "lafaekstreet-local/log"
	ledgerKey     = "alias/lafaekstreet-ledger"
	logKey        = "alias/lafaekstreet-log"
	// ledgerAccount pays for ledger messages on the network of the stand-in. It begins with ledgerCredit.
	ledgerAccount = "0.0.2001"
	ledgerCredit  = 1_000_000 * 100_000_000 // tinybars
)

// createResources makes the queues, the bucket and the keys that the CDK app makes in AWS, through the same protocols. What
// an earlier run has made stays.
func (s *System) createResources(ctx context.Context) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	cfg, err := config.LoadAWS(ctx, s.env)
	if err != nil {
		return err
	}
	arns, err := s.createQueues(ctx, sqs.NewFromConfig(cfg))
	if err != nil {
		return err
	}
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = s.env["S3_PATH_STYLE"] == "true" })
	if err := s.createBucket(ctx, objects, arns[catalog.PictureArrived().Queue]); err != nil {
		return err
	}
	keys := kms.NewFromConfig(cfg)
	if err := s.createLedgerKey(ctx, keys); err != nil {
		return err
	}
	if err := s.createLog(ctx, objects, keys); err != nil {
		return err
	}
	return s.createSecrets()
}

// createQueues makes each queue with its dead letters and returns the ARNs.
func (s *System) createQueues(ctx context.Context, client *sqs.Client) (map[catalog.QueueName]string, error) {
	arns := map[catalog.QueueName]string{}
	urls := map[string]string{}
	retention := strconv.Itoa(int(catalog.Retention.Seconds()))
	for _, q := range catalog.Queues() {
		deadURL, dead, err := createQueue(ctx, client, string(q.Name.Dead()), map[string]string{"MessageRetentionPeriod": retention})
		if err != nil {
			return nil, err
		}
		redrive, err := json.Marshal(map[string]any{"deadLetterTargetArn": dead, "maxReceiveCount": catalog.MaxReceives})
		if err != nil {
			return nil, fmt.Errorf("write redrive policy: %w", err)
		}
		url, arn, err := createQueue(ctx, client, string(q.Name), map[string]string{"MessageRetentionPeriod": retention,
			"VisibilityTimeout": strconv.Itoa(int(q.Visibility().Seconds())), "RedrivePolicy": string(redrive)})
		if err != nil {
			return nil, err
		}
		arns[q.Name], urls[string(q.Name)], urls[string(q.Name.Dead())] = arn, url, deadURL
	}
	s.set("QUEUE_URLS", pairs(urls))
	s.queueARNs = arns
	return arns, nil
}

func createQueue(ctx context.Context, client *sqs.Client, name string, attributes map[string]string) (string, string, error) {
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name)})
	if err != nil {
		return "", "", fmt.Errorf("create queue %s: %w", name, err)
	}
	// A separate call: CreateQueue refuses a queue that exists with other attributes.
	if _, err := client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: made.QueueUrl, Attributes: attributes}); err != nil {
		return "", "", fmt.Errorf("configure queue %s: %w", name, err)
	}
	about, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", "", fmt.Errorf("read the ARN of queue %s: %w", name, err)
	}
	return aws.ToString(made.QueueUrl), about.Attributes[string(sqstypes.QueueAttributeNameQueueArn)], nil
}

// createBucket makes the bucket of pictures. Browsers may send presigned requests to it, and it sends the events of the
// catalogue.
func (s *System) createBucket(ctx context.Context, client *s3.Client, images string) error {
	s.set("MEDIA_BUCKET", bucketName)
	name := aws.String(s.env["MEDIA_BUCKET"])
	if err := ensureBucket(ctx, client, &s3.CreateBucketInput{Bucket: name}); err != nil {
		return err
	}
	_, err := client.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: name, CORSConfiguration: &s3types.CORSConfiguration{
		CORSRules: []s3types.CORSRule{{AllowedMethods: []string{"GET", "PUT", "POST"}, AllowedOrigins: []string{"*"}, AllowedHeaders: []string{"*"}}}}})
	var refused smithy.APIError
	if err != nil && (!errors.As(err, &refused) || refused.ErrorCode() != "NotImplemented") { // our stand-in accepts browsers without it
		return fmt.Errorf("open the bucket to browsers: %w", err)
	}
	trigger := catalog.PictureArrived()
	_, err = client.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: name,
		NotificationConfiguration: &s3types.NotificationConfiguration{QueueConfigurations: []s3types.QueueConfiguration{{
			QueueArn: aws.String(images), Events: []s3types.Event{s3types.Event(trigger.Event)},
			Filter: &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: []s3types.FilterRule{{
				Name: s3types.FilterRuleNamePrefix, Value: aws.String(trigger.Prefix)}}}}}}}})
	if err != nil {
		return fmt.Errorf("configure the events of the bucket: %w", err)
	}
	return nil
}

// ensureBucket makes a bucket that does not exist yet.
func ensureBucket(ctx context.Context, client *s3.Client, in *s3.CreateBucketInput) error {
	_, err := client.CreateBucket(ctx, in)
	var ours *s3types.BucketAlreadyOwnedByYou
	var taken *s3types.BucketAlreadyExists
	if err != nil && !errors.As(err, &ours) && !errors.As(err, &taken) {
		return fmt.Errorf("create bucket %s: %w", aws.ToString(in.Bucket), err)
	}
	return nil
}

// createLog makes the bucket of the public log and the key that signs it. Only a new bucket can get Object Lock.
func (s *System) createLog(ctx context.Context, objects *s3.Client, keys *kms.Client) error {
	s.set("LOG_ORIGIN", logOrigin)
	s.set("LOG_BUCKET", logBucketName)
	in := &s3.CreateBucketInput{Bucket: aws.String(s.env["LOG_BUCKET"])}
	if mode := s.env["LOG_LOCK_MODE"]; mode != "" && mode != "none" {
		in.ObjectLockEnabledForBucket = aws.Bool(true)
	}
	if err := ensureBucket(ctx, objects, in); err != nil {
		return err
	}
	if s.env["LOG_KMS_KEY_ID"] != "" {
		return nil
	}
	id, err := ensureKey(ctx, keys, logKey, kmstypes.KeySpecEccNistEdwards25519)
	if err != nil {
		return err
	}
	s.set("LOG_KMS_KEY_ID", id)
	return nil
}

// createLedgerKey makes the key that signs ledger messages and, on the stand-in's network, its account and topics.
func (s *System) createLedgerKey(ctx context.Context, client *kms.Client) error {
	if s.env["AWS_KMS_KEY_ID"] == "" {
		id, err := ensureKey(ctx, client, ledgerKey, kmstypes.KeySpecEccSecgP256k1)
		if err != nil {
			return err
		}
		s.set("AWS_KMS_KEY_ID", id)
	}
	if s.stand.hedera == nil {
		return nil
	}
	public, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(s.env["AWS_KMS_KEY_ID"])})
	if err != nil {
		return fmt.Errorf("read the ledger key: %w", err)
	}
	if s.stand.hedera.Balance(ledgerAccount) == 0 {
		if err := s.stand.hedera.SetAccount(ledgerAccount, public.PublicKey, ledgerCredit); err != nil {
			return err
		}
	}
	s.set("HEDERA_ACCOUNT_ID", ledgerAccount)
	for _, topic := range []struct{ setting, memo string }{
		{"HEDERA_TOPIC_REPORTS", "lafaekstreet reports"},
	} {
		id, err := s.stand.hedera.EnsureTopic(topic.memo, public.PublicKey)
		if err != nil {
			return err
		}
		s.set(topic.setting, id)
	}
	return nil
}

// ensureKey returns the id of the signing key with this alias. It makes the key if there is none.
func ensureKey(ctx context.Context, client *kms.Client, alias string, spec kmstypes.KeySpec) (string, error) {
	found, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(alias)})
	if err == nil {
		return aws.ToString(found.KeyMetadata.KeyId), nil
	}
	var missing *kmstypes.NotFoundException
	if !errors.As(err, &missing) {
		return "", fmt.Errorf("look for the key %s: %w", alias, err)
	}
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: spec, KeyUsage: kmstypes.KeyUsageTypeSignVerify})
	if err != nil {
		return "", fmt.Errorf("create the key %s: %w", alias, err)
	}
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(alias), TargetKeyId: made.KeyMetadata.KeyId})
	if err != nil {
		return "", fmt.Errorf("name the key %s: %w", alias, err)
	}
	return aws.ToString(made.KeyMetadata.KeyId), nil
}

package aws_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/aws/bedrock"
	"github.com/lafaekstreet/backend/infra/local/faults"
)

// victim is one call to break: what it does and how often it has taken effect.
type victim struct {
	service, operation    string
	internal, throttled   string // the error codes of the real service
	call                  func(context.Context) error
	effects               func() int
	malformedIsWellFormed bool // the envelope is sound and only the content is not
}

// victims sets up one call of each service against s.
func victims(t *testing.T, s *aws.Server) []victim {
	t.Helper()
	ctx, config := context.Background(), once(s)
	objects := s3.NewFromConfig(config)
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	queues := sqs.NewFromConfig(config)
	queue, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: awssdk.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	keys := kms.NewFromConfig(config)
	key := signingKey(t, keys)
	vault := secretsmanager.NewFromConfig(config)
	m := model{nil, t, s}
	m.Client = newModelClient(config)
	picture := jpegOf(t, photograph(1), 80)
	return []victim{
		{
			service: "s3", operation: "PutObject", internal: "InternalError", throttled: "SlowDown",
			call: func(ctx context.Context) error {
				_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("k"), Body: strings.NewReader("x")})
				return err
			},
			effects: func() int {
				out, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: awssdk.String(bucket)})
				if err != nil {
					t.Fatal(err)
				}
				return len(out.Contents)
			},
		},
		{
			service: "sqs", operation: "SendMessageBatch", internal: "InternalFailure", throttled: "RequestThrottled",
			call: func(ctx context.Context) error {
				_, err := queues.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: queue.QueueUrl, Entries: []sqstypes.SendMessageBatchRequestEntry{
					{Id: awssdk.String("1"), MessageBody: awssdk.String("m")},
				}})
				return err
			},
			effects: func() int { return s.SQS.Overview(0)[0].Visible },
		},
		{
			service: "kms", operation: "Sign", internal: "KMSInternalException", throttled: "ThrottlingException",
			call: func(ctx context.Context) error {
				_, err := keys.Sign(ctx, &kms.SignInput{KeyId: &key, Message: make([]byte, 32), MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256"})
				return err
			},
		},
		{
			service: "secretsmanager", operation: "CreateSecret", internal: "InternalServiceError", throttled: "ThrottlingException",
			call: func(ctx context.Context) error {
				_, err := vault.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: awssdk.String("s"), SecretString: awssdk.String("v")})
				return err
			},
			effects: func() int {
				if _, err := vault.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: awssdk.String("s")}); err != nil {
					return 0
				}
				return 1
			},
		},
		{
			service: "bedrock", operation: "Converse", internal: "InternalServerException", throttled: "ThrottlingException",
			call: func(ctx context.Context) error {
				_, err := m.converseIn(ctx, "report_relevance", relevanceSchema, types.ImageFormatJpeg, picture)
				return err
			},
			effects:               func() int { return len(s.Bedrock.Calls()) },
			malformedIsWellFormed: true,
		},
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	for i, v := range victims(t, start(t, aws.Options{Faults: set})) {
		for _, mode := range faults.Modes() {
			t.Run(v.service+" "+v.operation+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				set := faults.NewSet()
				v := victims(t, start(t, aws.Options{Faults: set}))[i]
				if err := set.Add(faults.Fault{Service: v.service, Operation: v.operation, Mode: mode}); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if mode == faults.Timeout {
					go cancelWhenTaken(ctx, set, cancel)
				}
				err := v.call(ctx)
				wantEffects := 0
				switch mode {
				case faults.Error:
					if codeOf(err) != v.internal {
						t.Errorf("%v, want %s", err, v.internal)
					}
				case faults.Throttle:
					if codeOf(err) != v.throttled {
						t.Errorf("%v, want %s", err, v.throttled)
					}
				case faults.Timeout:
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%v, want the caller's own cancellation", err)
					}
				case faults.DropReply:
					wantEffects = 1
					if err == nil || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v, want a lost connection", err)
					}
				case faults.Malformed:
					if (err == nil) != v.malformedIsWellFormed {
						t.Errorf("%v", err)
					}
				}
				if v.effects != nil {
					if got := v.effects(); got != wantEffects {
						t.Errorf("%d effects, want %d", got, wantEffects)
					}
				}
				if len(set.Taken()) != 1 || len(set.Pending()) != 0 {
					t.Errorf("taken %v, pending %v", set.Taken(), set.Pending())
				}
			})
		}
	}
}

// cancelWhenTaken cancels a call once its fault has been taken.
func cancelWhenTaken(ctx context.Context, set *faults.Set, cancel context.CancelFunc) {
	for ctx.Err() == nil && len(set.Taken()) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
}

func TestMalformedVerdictBreaksTheSchema(t *testing.T) {
	t.Parallel()
	set := faults.NewSet()
	m := newModel(t, aws.Options{Faults: set})
	if err := set.Add(faults.Fault{Service: "bedrock", Mode: faults.Malformed, Count: 2}); err != nil {
		t.Fatal(err)
	}
	picture := jpegOf(t, photograph(1), 80)
	out, err := m.converse("report_relevance", relevanceSchema, types.ImageFormatJpeg, picture)
	if err != nil {
		t.Fatal(err)
	}
	if _, isBool := input(t, out)["is_relevant"].(bool); isBool {
		t.Error("the malformed verdict is well formed")
	}
	raw, _ := json.Marshal(picture)
	v, err := m.embed(`{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","image":{"format":"jpeg","source":{"bytes":` + string(raw) + `}}}}`)
	if err != nil || len(v) == 1024 || len(v) == 3072 {
		t.Errorf("malformed %s: %d dimensions, %v", bedrock.EmbeddingModel, len(v), err)
	}
}

func TestUnsignedAndForgedCallsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, aws.Options{})
	forged := once(s)
	forged.Credentials = awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
		return awssdk.Credentials{AccessKeyID: aws.AccessKeyID, SecretAccessKey: "guessed"}, nil
	})
	ctx := context.Background()
	_, errQueue := sqs.NewFromConfig(forged).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: awssdk.String("q")})
	_, errKey := kms.NewFromConfig(forged).CreateKey(ctx, &kms.CreateKeyInput{})
	_, errBucket := s3.NewFromConfig(forged).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: awssdk.String(bucket)})
	m := model{newModelClient(forged), t, s}
	_, errModel := m.embed(`{}`)
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"sqs": {errQueue, "InvalidSignatureException"}, "kms": {errKey, "InvalidSignatureException"},
		"s3": {errBucket, "SignatureDoesNotMatch"}, "bedrock": {errModel, "InvalidSignatureException"},
	} {
		if codeOf(c.err) != c.code {
			t.Errorf("%s with a guessed secret: %v, want %s", name, c.err, c.code)
		}
	}
	for name, header := range map[string]map[string][]string{
		"kms": {"X-Amz-Target": {"TrentService.CreateKey"}}, "s3": {},
	} {
		if status, body := do(t, "POST", s.URL()+"/", header, []byte("{}")); status/100 != 4 {
			t.Errorf("%s without a signature: %d %s", name, status, body)
		}
	}
}

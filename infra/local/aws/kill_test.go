package aws_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/infra/local/aws"
)

// childDir names the environment variable that makes TestMain serve, not test.
const childDir = "STAND_IN_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := aws.Start(aws.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	select {}
}

// spawn runs the stand-ins in a process of their own.
func spawn(t *testing.T, dir string) (*exec.Cmd, awssdk.Config) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	config := start(t, aws.Options{}).Config() // for its credentials
	config.BaseEndpoint = awssdk.String(strings.TrimSpace(line))
	return cmd, config
}

// TestKillLosesNothingAcknowledged kills the process in the middle of writing,
// three times over the same files, and looks for everything that was answered.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	var sent, stored []string
	for round := range 3 {
		cmd, config := spawn(t, dir)
		config.Retryer = func() awssdk.Retryer { return awssdk.NopRetryer{} }
		queues, objects := sqs.NewFromConfig(config), s3.NewFromConfig(config)
		if round == 0 {
			if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
				t.Fatal(err)
			}
		}
		made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: awssdk.String("kept")})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			name := strconv.Itoa(round) + "-" + strconv.Itoa(i)
			if i == 60 {
				go func() { _ = cmd.Process.Kill() }()
			}
			if err := send(queues, *made.QueueUrl, name, 0); err != nil {
				break
			}
			sent = append(sent, name)
			_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: &name, Body: strings.NewReader(strings.Repeat(name, 500))})
			if err != nil {
				break
			}
			stored = append(stored, name)
		}
		_ = cmd.Wait()
	}
	if len(sent) < 180 {
		t.Fatalf("only %d messages were acknowledged", len(sent))
	}
	s := start(t, aws.Options{Dir: dir})
	there := map[string]bool{}
	for _, m := range s.SQS.Overview(len(sent) + 10)[0].Messages {
		there[m.Body] = true
	}
	for _, name := range sent {
		if !there[name] {
			t.Errorf("message %s was lost", name)
		}
	}
	objects := s3.NewFromConfig(s.Config())
	for _, name := range stored {
		head, err := objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String(name)})
		if err != nil || *head.ContentLength != int64(500*len(name)) {
			t.Errorf("object %s was lost: %v", name, err)
		}
	}
}

// Command redrive sends the dead letters of a queue to it again. Run it after the cause of their failure is removed:
// make redrive QUEUE=validate.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/queue"
)

func main() {
	name := flag.String("queue", "", "queue whose dead letters are sent again")
	rate := flag.Int("rate", 0, "messages a second, 1 to 500; 0: SQS decides")
	stage := flag.String("stage", "", "stage of the deployed system; empty: the queues of QUEUE_URLS, or of these names")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, queue.Name(*name), *stage, *rate); err != nil {
		fmt.Fprintln(os.Stderr, "redrive:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name queue.Name, stage string, rate int) error {
	if !slices.Contains(catalog.QueueNames(), name) {
		return fmt.Errorf("QUEUE must be one of %v", catalog.QueueNames())
	}
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return err
	}
	queues, err := config.Parse[queue.Config](env)
	if err != nil {
		return err
	}
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return err
	}
	prefix := ""
	if stage != "" {
		prefix = "lafaekstreet-" + stage + "-" // as infra names them
	}
	client := sqs.NewFromConfig(cfg)
	live, err := arnOf(ctx, client, queues.URLs[string(name)], prefix+string(name))
	if err != nil {
		return err
	}
	dead, err := arnOf(ctx, client, queues.URLs[string(name.Dead())], prefix+string(name.Dead()))
	if err != nil {
		return err
	}
	return move(ctx, client, dead, live, rate)
}

// arnOf returns the ARN of a queue. If url is empty, it finds the queue by its name.
func arnOf(ctx context.Context, client *sqs.Client, url, name string) (string, error) {
	if url == "" {
		found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(name)})
		if err != nil {
			return "", fmt.Errorf("find queue %s (is it in QUEUE_URLS?): %w", name, err)
		}
		url = aws.ToString(found.QueueUrl)
	}
	about, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url),
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", fmt.Errorf("read the ARN of queue %s: %w", name, err)
	}
	return about.Attributes[string(types.QueueAttributeNameQueueArn)], nil
}

// move sends the messages of one queue to another and waits until that is done. It
// names the destination, because SQS does not know the source of a dead letter that
// our own code has sent (queue.Permanent).
func move(ctx context.Context, client *sqs.Client, from, to string, rate int) error {
	in := &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(from), DestinationArn: aws.String(to)}
	if rate > 0 {
		in.MaxNumberOfMessagesPerSecond = aws.Int32(int32(min(rate, 500)))
	}
	if _, err := client.StartMessageMoveTask(ctx, in); err != nil {
		return fmt.Errorf("start the move: %w", err)
	}
	for {
		out, err := client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(from), MaxResults: aws.Int32(1)})
		if err != nil {
			return fmt.Errorf("follow the move: %w", err)
		}
		if len(out.Results) == 0 {
			return errors.New("follow the move: SQS does not list it")
		}
		task := out.Results[0]
		switch status := aws.ToString(task.Status); status {
		case "COMPLETED":
			fmt.Printf("%d messages sent again\n", task.ApproximateNumberOfMessagesMoved)
			return nil
		case "RUNNING":
		default:
			return fmt.Errorf("the move ended with status %s after %d messages: %s", status, task.ApproximateNumberOfMessagesMoved, aws.ToString(task.FailureReason))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

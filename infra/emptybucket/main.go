// Command emptybucket deletes every version of every object in the buckets of a stage that is about to be removed: CloudFormation
// does not delete a bucket with objects in it. Nothing brings them back.
//
//	go run ./infra/emptybucket lafaekstreet-staging-storage-media… lafaekstreet-staging-storage-log…
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lafaekstreet/backend/shared/config"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "emptybucket:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, buckets []string) error {
	if len(buckets) == 0 {
		return errors.New("name the buckets: the outputs MediaBucket and LogBucket of the stack …-storage")
	}
	for _, b := range buckets {
		if !strings.HasPrefix(b, "lafaekstreet-") {
			return fmt.Errorf("%q is no bucket of a stage: their names begin with lafaekstreet-", b)
		}
	}
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return err
	}
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = env["AWS_ENDPOINT_URL"]+env["AWS_ENDPOINT_URL_S3"] != "" })
	for _, b := range buckets {
		n, err := empty(ctx, client, b)
		if err != nil {
			return fmt.Errorf("%s: after %d versions: %w", b, n, err)
		}
		fmt.Printf("%s: %d versions deleted\n", b, n)
	}
	return nil
}

// empty deletes every version and every delete marker of a bucket, and returns how many.
func empty(ctx context.Context, client *s3.Client, bucket string) (int, error) {
	deleted := 0
	for {
		page, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String(bucket)})
		if err != nil {
			return deleted, fmt.Errorf("list versions: %w", err)
		}
		var found []types.ObjectIdentifier
		for _, v := range page.Versions {
			found = append(found, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			found = append(found, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(found) == 0 {
			return deleted, nil
		}
		out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String(bucket),
			Delete: &types.Delete{Objects: found, Quiet: aws.Bool(true)}})
		if err != nil {
			return deleted, fmt.Errorf("delete versions: %w", err)
		}
		if len(out.Errors) > 0 {
			refused := out.Errors[0]
			return deleted, fmt.Errorf("%s stays: %s", aws.ToString(refused.Key), aws.ToString(refused.Message))
		}
		deleted += len(found)
	}
}

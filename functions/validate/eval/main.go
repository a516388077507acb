// Command eval judges a folder of labelled pictures with the configured model and
// prints how often the model was right: make eval-ai DIR=….
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/settings"
)

func main() {
	dir := flag.String("dir", "", "folder that holds a folder of JPEGs for each issue type, and one named irrelevant")
	reject := flag.Float64("reject", settings.Default().RejectConfidence, "reject an irrelevant picture from this confidence, 0 to 1")
	input := flag.Float64("input-price", 0, "USD for a million input tokens")
	output := flag.Float64("output-price", 0, "USD for a million output tokens")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *reject, *input, *output); err != nil {
		fmt.Fprintln(os.Stderr, "eval-ai:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, reject, input, output float64) error {
	if dir == "" {
		return errors.New("DIR is not set: it must name a folder of labelled pictures")
	}
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return err
	}
	models, err := config.Parse[validate.ModelConfig](env)
	if err != nil {
		return err
	}
	cfg, err := config.LoadAWS(ctx, env)
	if err != nil {
		return err
	}
	files := os.DirFS(dir)
	samples, err := validate.Samples(files)
	if err != nil {
		return err
	}
	limits := settings.Default()
	limits.RejectConfidence = reject
	fmt.Fprintf(os.Stderr, "judging %d pictures with %s\n", len(samples), models.Model)
	score, err := validate.Evaluate(ctx, bedrockruntime.NewFromConfig(cfg), models, limits, files, samples, os.Stdout)
	if err != nil {
		return err
	}
	return score.Report(os.Stderr, samples, input, output)
}

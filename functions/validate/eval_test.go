package validate

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/shared/settings"
)

func TestEvaluate(t *testing.T) {
	t.Parallel()
	cloud, err := aws.Start(aws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cloud.Close() }()
	jpeg := &fstest.MapFile{Data: scene(t, 1)}
	dir := fstest.MapFS{"irrelevant/a.jpg": jpeg, "irrelevant/b.jpg": jpeg, "irrelevant/c.jpg": jpeg, "potholes/d.JPG": jpeg, "potholes/e.jpg": jpeg, "readme.txt": jpeg}
	samples, err := Samples(dir)
	if err != nil || len(samples) != 5 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	var script []json.RawMessage
	for _, answer := range []string{
		`{"is_relevant": false, "confidence": 0.99}`, `{"is_relevant": false, "confidence": 0.5}`, `{"is_relevant": true, "confidence": 0.9}`,
		`{"is_relevant": false, "confidence": 0.97}`, `{"is_relevant": true, "confidence": 0.9, "issue_type": "road_damage"}`,
	} {
		script = append(script, json.RawMessage(answer))
	}
	if err := cloud.Bedrock.Script(script); err != nil {
		t.Fatal(err)
	}
	var lines, report bytes.Buffer
	score, err := Evaluate(t.Context(), bedrockruntime.NewFromConfig(cloud.Config()), ModelConfig{Model: "us.amazon.nova-2-lite-v1:0", Timeout: 1e10},
		settings.Default(), dir, samples, &lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := score.Report(&report, samples, 0.3, 2.5); err != nil {
		t.Fatal(err)
	}
	contains(t, "report", report.String(), "5 pictures: 2 relevant, 3 irrelevant; 1 to review", "precision 0.500 (1 wrongly rejected), recall 0.333 (1 verified by mistake)",
		"pothole        taken for road_damage 1", "USD for 1,000 pictures")
	if n := strings.Count(lines.String(), "\n"); n != 5 {
		t.Errorf("%d lines, want one a picture", n)
	}
	if _, err := Samples(fstest.MapFS{"cats/a.jpg": jpeg}); err == nil {
		t.Error("an unknown label was taken")
	}
}

package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func TestParseModel(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]model{
		"amazon.nova-2-lite-v1:0":                       {base: "amazon.nova-2-lite-v1:0"},
		"zai.glm-4.7":                                   {base: "zai.glm-4.7"},
		"us.amazon.nova-2-lite-v1:0":                    {profile: "us", base: "amazon.nova-2-lite-v1:0"},
		"us-gov.anthropic.claude-3-haiku-20240307-v1:0": {profile: "us-gov", base: "anthropic.claude-3-haiku-20240307-v1:0"},
		"eu.amazon.nova-2-lite-v1:0":                    {profile: "eu", base: "amazon.nova-2-lite-v1:0"},
		"apac.amazon.nova-lite-v1:0":                    {profile: "apac", base: "amazon.nova-lite-v1:0"},
		"jp.amazon.nova-2-lite-v1:0":                    {profile: "jp", base: "amazon.nova-2-lite-v1:0"},
		"au.anthropic.claude-sonnet-4-5-20250929-v1:0":  {profile: "au", base: "anthropic.claude-sonnet-4-5-20250929-v1:0"},
		"ca.amazon.nova-lite-v1:0":                      {profile: "ca", base: "amazon.nova-lite-v1:0"},
		"global.amazon.nova-2-lite-v1:0":                {profile: "global", base: "amazon.nova-2-lite-v1:0"},
	} {
		want.id = id
		if got, err := parseModel(id); err != nil || got != want {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
	for id, want := range map[string]string{
		"":                            "begins neither",
		"nova":                        "begins neither",
		"mars.amazon.nova-lite-v1:0":  "begins neither with an inference profile (us, us-gov,",
		"us.us.amazon.nova-lite-v1:0": "names no model after \"us.\"",
		"us.amazon":                   "names no model",
		"amazon.":                     "begins neither",
		"arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0": "begins neither",
	} {
		if _, err := parseModel(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", id, err, want)
		}
	}
}

// The resources are those of AWS's documentation ("Geographic cross-Region inference", "Global cross-Region inference").
func TestModelsThatMayBeCalled(t *testing.T) {
	synthesis.Lock()
	defer synthesis.Unlock()
	stack := awscdk.NewStack(awscdk.NewApp(nil), jsii.String("models"), &awscdk.StackProps{Env: &awscdk.Environment{
		Account: jsii.String("111122223333"), Region: jsii.String("us-east-1")}})
	c := &configuration{resources: &resources{plan: &plan{settings: settings{BedrockRegion: "eu-west-1"}}}, stack: stack}
	for id, want := range map[string][]string{
		"amazon.nova-lite-v1:0": {"arn:P:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"},
		"eu.amazon.nova-lite-v1:0": {"arn:P:bedrock:eu-west-1:111122223333:inference-profile/eu.amazon.nova-lite-v1:0",
			"arn:P:bedrock:*::foundation-model/amazon.nova-lite-v1:0"},
		"global.amazon.nova-2-lite-v1:0": {"arn:P:bedrock:eu-west-1:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0",
			"arn:P:bedrock:*::foundation-model/amazon.nova-2-lite-v1:0", "arn:P:bedrock:::foundation-model/amazon.nova-2-lite-v1:0"},
	} {
		m, err := parseModel(id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range c.callable(m) {
			got = append(got, strings.ReplaceAll(*r, *stack.Partition(), "P"))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
}

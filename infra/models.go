package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// model is a model of Bedrock, called directly or by an inference profile of AWS.
type model struct {
	// id is what a call names.
	id string
	// profile is the first part of the name of an inference profile, such as "us"; empty for a direct call.
	profile string
	// base is the id of the model below the profile, or id.
	base string
}

// inferenceProfiles are the first parts of the names of AWS's inference profiles, from its documentation ("Supported Regions and
// models for inference profiles"). A profile sends a call to one of several regions: those of its part of the world, or all.
var inferenceProfiles = []string{"us", "us-gov", "ca", "eu", "apac", "jp", "au", globalProfile}

const globalProfile = "global"

// modelProviders are the first parts of the ids of models, from the same documentation ("Supported foundation models").
var modelProviders = []string{"ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral", "moonshot",
	"moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "zai"}

// parseModel reads the id of a model or of an inference profile. A name that begins otherwise is an error: the right to call it
// would name a model that does not exist.
func parseModel(id string) (model, error) {
	first, rest, ok := strings.Cut(id, ".")
	if ok && slices.Contains(inferenceProfiles, first) {
		provider, name, _ := strings.Cut(rest, ".")
		if !slices.Contains(modelProviders, provider) || name == "" {
			return model{}, fmt.Errorf("%q names no model after %q", id, first+".")
		}
		return model{id: id, profile: first, base: rest}, nil
	}
	if !ok || rest == "" || !slices.Contains(modelProviders, first) {
		return model{}, fmt.Errorf("%q begins neither with an inference profile (%s) nor with a provider of models (%s); see infra/models.go",
			id, strings.Join(inferenceProfiles, ", "), strings.Join(modelProviders, ", "))
	}
	return model{id: id, base: id}, nil
}

// models lets the function call the models.
func (c *configuration) models() {
	c.set("BEDROCK_REGION", c.BedrockRegion)
	c.set("AI_MODEL", c.AIModel)
	c.set("AI_EMBEDDING_MODEL", c.EmbeddingModel)
	var resources []*string
	for _, id := range []string{c.EmbeddingModel, c.AIModel} {
		m, err := parseModel(id)
		if err != nil {
			panic(err) // readSettings has refused it
		}
		resources = append(resources, c.callable(m)...)
	}
	c.allow("CallModels", []string{"bedrock:InvokeModel"}, resources...)
}

// callable are the resources that a call of m needs. Through a profile these are the profile itself, and the model in each region
// that the profile may send the call to. AWS adds regions to a profile, so the model may be called in any; a global profile also
// asks for the model without a region.
func (c *configuration) callable(m model) []*string {
	foundation := func(region string) *string {
		return jsii.String("arn:" + *c.stack.Partition() + ":bedrock:" + region + "::foundation-model/" + m.base)
	}
	if m.profile == "" {
		return []*string{foundation(c.BedrockRegion)}
	}
	out := []*string{
		c.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("bedrock"), Region: jsii.String(c.BedrockRegion),
			Resource: jsii.String("inference-profile"), ResourceName: jsii.String(m.id)}),
		foundation("*"),
	}
	if m.profile == globalProfile {
		out = append(out, foundation(""))
	}
	return out
}

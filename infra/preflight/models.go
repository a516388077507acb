package preflight

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

// models checks that the account may call the models. Without them the stage works: people judge the reports.
func (c *checks) models(ctx context.Context) {
	client := bedrock.NewFromConfig(c.inRegion(c.BedrockRegion))
	for _, m := range c.Models {
		if m.ID == m.Base || c.profile(ctx, client, m) {
			c.model(ctx, client, m)
		}
	}
}

// profile checks an inference profile. It returns false if the model below it need not be checked.
func (c *checks) profile(ctx context.Context, client *bedrock.Client, m Model) bool {
	out, err := client.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: aws.String(m.ID)})
	switch {
	case isError(err, "ResourceNotFoundException", "ValidationException"):
		c.warn("models", `%s: the inference profile %s does not exist in %s: choose one of aws bedrock list-inference-profiles --region %s, or set bedrock_region`,
			m.Setting, m.ID, c.BedrockRegion, c.BedrockRegion)
	case err != nil:
		c.unknown("models", m.ID, err)
	case out.Status != types.InferenceProfileStatusActive:
		c.warn("models", "%s: the inference profile %s is not active", m.Setting, m.ID)
	default:
		return true
	}
	return false
}

func (c *checks) model(ctx context.Context, client *bedrock.Client, m Model) {
	out, err := client.GetFoundationModelAvailability(ctx, &bedrock.GetFoundationModelAvailabilityInput{ModelId: aws.String(m.Base)})
	const consequence = "until then no report gets a verdict of AI, and people judge them"
	switch {
	case isError(err, "ResourceNotFoundException", "ValidationException"):
		c.warn("models", "%s: the model %s does not exist in %s: see aws bedrock list-foundation-models --region %s; %s", m.Setting, m.Base, c.BedrockRegion, c.BedrockRegion, consequence)
	case err != nil:
		c.unknown("models", m.Base, err)
	case m.ID == m.Base && out.RegionAvailability == types.RegionAvailabilityNotAvailable:
		c.warn("models", "%s: %s is not offered in %s: name an inference profile, or set bedrock_region; %s", m.Setting, m.Base, c.BedrockRegion, consequence)
	case out.AuthorizationStatus != types.AuthorizationStatusAuthorized || out.EntitlementAvailability == types.EntitlementAvailabilityNotAvailable:
		c.warn("models", "%s: the account may not call %s: open it in the model catalog of the Bedrock console of %s, and fill in its form if it has one; %s",
			m.Setting, m.Base, c.BedrockRegion, consequence)
	case out.AgreementAvailability != nil && out.AgreementAvailability.Status != types.AgreementStatusAvailable:
		c.warn("models", "%s: the agreement for %s is %s: accept it in the model catalog of the Bedrock console of %s; %s",
			m.Setting, m.Base, out.AgreementAvailability.Status, c.BedrockRegion, consequence)
	default:
		c.ok("models", "%s: %s", m.Setting, m.ID)
	}
}

package preflight

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// domain checks the certificate and the zone of the domain.
func (c *checks) domain(ctx context.Context) {
	if c.PublicBaseURL == "" {
		c.warn("address", "mails and push messages will have no links: set domain, or public_base_url after the first deploy")
	}
	if c.Domain == "" {
		return
	}
	c.certificate(ctx)
	if c.HostedZone == "" {
		c.warn("domain", "hosted_zone is not set: after the deploy, point %s to the API at your own name server", c.Domain)
		return
	}
	out, err := route53.NewFromConfig(c.aws).GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String(c.HostedZone)})
	switch {
	case isError(err, "NoSuchHostedZone", "InvalidInput"):
		c.fail("domain", "the hosted zone %s does not exist in this account: aws route53 list-hosted-zones", c.HostedZone)
	case err != nil:
		c.unknown("domain", "the hosted zone "+c.HostedZone, err)
	default:
		zone := strings.TrimSuffix(aws.ToString(out.HostedZone.Name), ".")
		switch {
		case c.Domain != zone && !strings.HasSuffix(c.Domain, "."+zone):
			c.fail("domain", "the hosted zone %s is that of %s, and %s is not below it", c.HostedZone, zone, c.Domain)
		case out.HostedZone.Config != nil && out.HostedZone.Config.PrivateZone:
			c.fail("domain", "the hosted zone %s is private: phones cannot resolve names in it; name the public one", c.HostedZone)
		default:
			c.ok("domain", "%s in the hosted zone of %s", c.Domain, zone)
		}
	}
}

func (c *checks) certificate(ctx context.Context) {
	if parts := strings.Split(c.Certificate, ":"); len(parts) < 6 || parts[2] != "acm" || parts[3] != c.aws.Region {
		c.fail("certificate", "%s is not the ARN of a certificate in %s: request one there, aws acm request-certificate --validation-method DNS --domain-name %s --region %s",
			c.Certificate, c.aws.Region, c.Domain, c.aws.Region)
		return
	}
	out, err := acm.NewFromConfig(c.aws).DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: aws.String(c.Certificate)})
	switch {
	case isError(err, "ResourceNotFoundException"):
		c.fail("certificate", "%s does not exist in this account", c.Certificate)
	case err != nil:
		c.unknown("certificate", "it", err)
	case out.Certificate.Status != types.CertificateStatusIssued:
		c.fail("certificate", "its state is %s, not ISSUED: make the DNS records that `aws acm describe-certificate` names, and wait", out.Certificate.Status)
	case !covers(append(out.Certificate.SubjectAlternativeNames, aws.ToString(out.Certificate.DomainName)), c.Domain):
		c.fail("certificate", "it is not for %s: request one that is", c.Domain)
	default:
		c.ok("certificate", "issued for %s", c.Domain)
	}
}

// covers reports whether a certificate with the names is good for the domain. "*." stands for one label.
func covers(names []string, domain string) bool {
	_, parent, _ := strings.Cut(domain, ".")
	return slices.Contains(names, domain) || slices.Contains(names, "*."+parent)
}

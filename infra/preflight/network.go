package preflight

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// network checks the availability zones of the managed profile.
func (c *checks) network(ctx context.Context) {
	if !c.Managed {
		return
	}
	known, err := c.zones(ctx)
	if err != nil {
		c.unknown("zones", "the list of availability zones", err)
		return
	}
	chosen := c.Zones
	if len(chosen) == 0 {
		chosen = known[:min(2, len(known))]
	}
	for _, z := range chosen {
		if !slices.Contains(known, z) {
			c.fail("zones", "%s does not exist in this account: choose two of %s", z, strings.Join(known, ", "))
			return
		}
	}
	if len(chosen) < 2 {
		c.fail("zones", "the database needs two, and %s has %d: choose another region", c.aws.Region, len(known))
		return
	}
	c.offers(ctx, known, chosen)
}

// offers checks that each zone has the processors (Graviton) of the NAT instance. A zone without them is an old one, and mostly
// lacks Lambda in a VPC and serverless Valkey too; no service says in which zones it offers these two.
func (c *checks) offers(ctx context.Context, known, chosen []string) {
	typ := cmp.Or(c.NatType, "t4g.nano")
	offering, err := c.zonesWith(ctx, typ)
	if err != nil {
		c.unknown("zones", "where "+typ+" is offered", err)
		return
	}
	good := slices.DeleteFunc(slices.Clone(known), func(z string) bool { return !slices.Contains(offering, z) })
	for _, z := range chosen {
		if slices.Contains(good, z) {
			continue
		}
		c.fail("zones", `%s does not offer %s, and mostly neither Lambda in a VPC nor serverless Valkey: set "zones" to two of %s`, z, typ, strings.Join(good, ", "))
		return
	}
	c.ok("zones", "%s", strings.Join(chosen, ", "))
}

// zones are the names of the availability zones that are open to the account, sorted.
func (c *checks) zones(ctx context.Context) ([]string, error) {
	var answer struct {
		Names []string `xml:"availabilityZoneInfo>item>zoneName"`
	}
	err := c.ec2(ctx, url.Values{"Action": {"DescribeAvailabilityZones"}, "Filter.1.Name": {"zone-type"}, "Filter.1.Value.1": {"availability-zone"},
		"Filter.2.Name": {"state"}, "Filter.2.Value.1": {"available"}}, &answer)
	slices.Sort(answer.Names)
	return answer.Names, err
}

// zonesWith are the names of the availability zones that offer a type of instance.
func (c *checks) zonesWith(ctx context.Context, instanceType string) ([]string, error) {
	var answer struct {
		Names []string `xml:"instanceTypeOfferingSet>item>location"`
	}
	err := c.ec2(ctx, url.Values{"Action": {"DescribeInstanceTypeOfferings"}, "LocationType": {"availability-zone"},
		"Filter.1.Name": {"instance-type"}, "Filter.1.Value.1": {instanceType}}, &answer)
	return answer.Names, err
}

// ec2 makes one call of EC2. The SDK's own package for EC2 is ten times as large as all others here together.
func (c *checks) ec2(ctx context.Context, form url.Values, answer any) error {
	form.Set("Version", "2016-11-15")
	endpoint := cmp.Or(c.env["AWS_ENDPOINT_URL_EC2"], c.env["AWS_ENDPOINT_URL"], "https://ec2."+c.aws.Region+".amazonaws.com")
	body := form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("call EC2: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	keys, err := c.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("call EC2: %w", err)
	}
	hash := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(hash[:]), "ec2", c.aws.Region, time.Now()); err != nil {
		return fmt.Errorf("call EC2: %w", err)
	}
	res, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return fmt.Errorf("call EC2: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	return readXML(res, answer)
}

func readXML(res *http.Response, answer any) error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("call EC2: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		var refused struct {
			Code    string `xml:"Errors>Error>Code"`
			Message string `xml:"Errors>Error>Message"`
		}
		_ = xml.Unmarshal(raw, &refused) // without a code, the status says enough
		return &smithy.GenericAPIError{Code: cmp.Or(refused.Code, res.Status), Message: refused.Message}
	}
	if err := xml.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("call EC2: %w", err)
	}
	return nil
}

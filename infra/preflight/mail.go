package preflight

import (
	"context"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/lafaekstreet/backend/functions/notify"
)

// sesHost is the mail server of SES in a region.
var sesHost = regexp.MustCompile(`^email-smtp(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com$`)

// mail checks that the mail server takes mails of the sender. It sends none.
func (c *checks) mail(ctx context.Context, server string) {
	switch {
	case c.MailSecret == "":
		c.warn("mail", "nobody can register, since no code is mailed: make a secret with smtps://user:password@host:465 and set mail_secret and mail_from")
		return
	case server == "":
		return // the secret has a finding
	}
	smtp, err := notify.NewSMTP(notify.MailConfig{URL: server, From: c.MailFrom, Timeout: dialTimeout})
	if err != nil {
		c.fail("mail", "mail_from: %q is not an address", c.MailFrom)
		return
	}
	host := hostOf(server)
	if err := smtp.Check(ctx); err != nil {
		c.warn("mail", "%s does not let us in from here: %s. 535: user or password is wrong (a password of SES is made for SMTP and holds in one region). "+
			"No answer: your network may block the port", host, err)
	} else {
		c.ok("mail", "%s lets us in", host)
	}
	if m := sesHost.FindStringSubmatch(host); m != nil {
		c.ses(ctx, m[1])
	}
}

// hostOf is the host of an address whose user and password need not be percent-encoded.
func hostOf(server string) string {
	u, err := url.Parse("smtp://" + server[strings.LastIndexByte(server, '@')+1:])
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// ses checks the sender and the sandbox of SES.
func (c *checks) ses(ctx context.Context, region string) {
	client := sesv2.NewFromConfig(c.inRegion(region))
	account, err := client.GetAccount(ctx, &sesv2.GetAccountInput{})
	switch {
	case err != nil:
		c.unknown("mail", "the account of SES in "+region, err)
	case !account.SendingEnabled:
		c.warn("mail", "SES has stopped this account's mails in %s: see the SES console", region)
	case !account.ProductionAccessEnabled:
		c.warn("mail", "SES is in its sandbox in %s: only addresses that you have verified get mails. Ask for production access in the SES console", region)
	}
	sender, err := netmail.ParseAddress(c.MailFrom)
	if err != nil {
		return // NewSMTP has refused it
	}
	verified, err := verifiedSender(ctx, client, sender.Address)
	_, domain, _ := strings.Cut(sender.Address, "@")
	switch {
	case err != nil:
		c.unknown("mail", "the sender "+sender.Address, err)
	case verified == "":
		c.warn("mail", "SES refuses mails from %s: verify its domain, aws sesv2 create-email-identity --email-identity %s --region %s, and make the DNS records that it answers",
			sender.Address, domain, region)
	default:
		c.ok("mail", "SES has verified %s", verified)
	}
}

// verifiedSender is the identity that lets SES send from the address: the address itself, its domain, or a domain above; empty for none.
func verifiedSender(ctx context.Context, client *sesv2.Client, address string) (string, error) {
	_, domain, _ := strings.Cut(address, "@")
	candidates := []string{address}
	for strings.Contains(domain, ".") {
		candidates = append(candidates, domain)
		_, domain, _ = strings.Cut(domain, ".")
	}
	for _, identity := range candidates {
		out, err := client.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: aws.String(identity)})
		if isError(err, "NotFoundException") {
			continue
		}
		if err != nil {
			return "", err
		}
		if out.VerifiedForSendingStatus {
			return identity, nil
		}
	}
	return "", nil
}

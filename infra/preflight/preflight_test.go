package preflight

import (
	"errors"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/smtp"
)

// managed is a stage in which everything that AWS can tell is checked.
func managed() Plan {
	return Plan{
		Managed: true, NatType: "t4g.nano", Workers: 23, AlarmEmail: "ops@example.tl",
		Domain: "api.example.tl", Certificate: "arn:aws:acm:us-east-1:111122223333:certificate/1", HostedZone: "Z1", PublicBaseURL: "https://api.example.tl",
		BedrockRegion: "us-east-1", Models: []Model{{"ai_model", "us.amazon.nova", "amazon.nova"}, {"embedding_model", "amazon.embed", "amazon.embed"}},
	}
}

func TestAnAccountThatIsReady(t *testing.T) {
	t.Parallel()
	mails, err := smtp.Start(smtp.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Close() })
	p := managed()
	p.MailSecret, p.MailFrom = "mail", "Lafaek <no-reply@example.tl>"
	var out strings.Builder
	err = Run(t.Context(), p, standIn(t, with(holding(map[string]string{"mail": mails.URL()}))), &out)
	if err != nil || strings.Contains(out.String(), "WARN") || strings.Contains(out.String(), "FAIL") {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, topic := range []string{"account", "bootstrap", "concurrency", "zones", "domain", "certificate", "secrets", "mail", "models"} {
		if !strings.Contains(out.String(), "ok    "+topic) {
			t.Errorf("%s was not checked:\n%s", topic, out.String())
		}
	}
}

// Each fault of an account has a finding of its kind, which says what to do.
func TestFaultsOfAnAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		replies map[string]reply
		change  func(*Plan, map[string]string)
		topic   string
		want    []string
	}{
		"no credentials": {change: func(_ *Plan, env map[string]string) { env["AWS_ACCESS_KEY_ID"] = "" }, topic: "credentials", want: []string{"FAIL", "export-credentials"}},
		"no region":      {change: func(_ *Plan, env map[string]string) { env["AWS_REGION"] = "" }, topic: "region", want: []string{"FAIL", "AWS_REGION"}},
		"expired":        {replies: map[string]reply{"GetCallerIdentity": refusedXML("ExpiredToken")}, topic: "credentials", want: []string{"FAIL", "ExpiredToken", "sign in again"}},
		"no answer":      {change: func(_ *Plan, env map[string]string) { env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1" }, topic: "credentials", want: []string{"FAIL", "does not answer"}},
		"other account":  {change: func(p *Plan, _ map[string]string) { p.Account = "999" }, topic: "account", want: []string{"FAIL", "111122223333", "999"}},

		"no bootstrap":        {replies: map[string]reply{"DescribeStacks": refusedXML("ValidationError")}, topic: "bootstrap", want: []string{"FAIL", "npx cdk bootstrap"}},
		"old bootstrap":       {replies: map[string]reply{"DescribeStacks": stack("CREATE_COMPLETE", "5")}, topic: "bootstrap", want: []string{"FAIL", "older than version 6"}},
		"broken bootstrap":    {replies: map[string]reply{"DescribeStacks": stack("ROLLBACK_COMPLETE", "28")}, topic: "bootstrap", want: []string{"FAIL", "ROLLBACK_COMPLETE"}},
		"bootstrap is secret": {replies: map[string]reply{"DescribeStacks": refusedXML("AccessDenied")}, topic: "bootstrap", want: []string{"WARN", "not checked", "AccessDenied"}},

		"ten at once":      {replies: map[string]reply{"GetAccountSettings": good(`{"AccountLimit":{"ConcurrentExecutions":10}}`)}, topic: "concurrency", want: []string{"WARN 10 calls", "may take 23", "L-B99A9384"}},
		"limit is secret":  {replies: map[string]reply{"GetAccountSettings": refused("AccessDeniedException")}, topic: "concurrency", want: []string{"WARN", "not checked"}},
		"no such zone":     {change: func(p *Plan, _ map[string]string) { p.Zones = []string{"us-east-1a", "us-east-1q"} }, topic: "zones", want: []string{"FAIL us-east-1q does not exist", "us-east-1c"}},
		"zone without t4g": {replies: map[string]reply{"DescribeInstanceTypeOfferings": good(zones("location", "instanceTypeOfferingSet", "us-east-1b", "us-east-1c"))}, topic: "zones", want: []string{"FAIL us-east-1a does not offer t4g.nano", "two of us-east-1b, us-east-1c"}},
		"one zone":         {replies: map[string]reply{"DescribeAvailabilityZones": good(zones("zoneName", "availabilityZoneInfo", "us-east-1a"))}, topic: "zones", want: []string{"FAIL", "another region"}},
		"zones are secret": {replies: map[string]reply{"DescribeAvailabilityZones": {403, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`}}, topic: "zones", want: []string{"WARN", "UnauthorizedOperation: no"}},

		"zone of another": {replies: map[string]reply{"GetHostedZone": refusedXML("NoSuchHostedZone")}, topic: "domain", want: []string{"FAIL", "list-hosted-zones"}},
		"other domain":    {change: func(p *Plan, _ map[string]string) { p.Domain = "api.example.org" }, topic: "domain", want: []string{"FAIL", "is not below it"}},
		"no hosted zone":  {change: func(p *Plan, _ map[string]string) { p.HostedZone = "" }, topic: "domain", want: []string{"WARN", "your own name server"}},
		"no address":      {change: func(p *Plan, _ map[string]string) { p.PublicBaseURL = "" }, topic: "address", want: []string{"WARN", "public_base_url"}},
		"pending":         {replies: map[string]reply{"DescribeCertificate": certificate("PENDING_VALIDATION", "*.example.tl")}, topic: "certificate", want: []string{"FAIL", "PENDING_VALIDATION", "DNS records"}},
		"two labels":      {replies: map[string]reply{"DescribeCertificate": certificate("ISSUED", "*.tl")}, topic: "certificate", want: []string{"FAIL", "not for api.example.tl"}},
		"not there":       {replies: map[string]reply{"DescribeCertificate": refused("ResourceNotFoundException")}, topic: "certificate", want: []string{"FAIL", "does not exist"}},
		"other region":    {change: func(p *Plan, _ map[string]string) { p.Certificate = "arn:aws:acm:eu-west-1:1:certificate/1" }, topic: "certificate", want: []string{"FAIL", "request-certificate"}},

		"no profile":        {replies: map[string]reply{"GetInferenceProfile": refused("ResourceNotFoundException")}, topic: "models", want: []string{"WARN ai_model", "list-inference-profiles"}},
		"no model":          {replies: map[string]reply{"GetFoundationModelAvailability": refused("ValidationException")}, topic: "models", want: []string{"WARN", "list-foundation-models"}},
		"no access":         {replies: map[string]reply{"GetFoundationModelAvailability": availability("AVAILABLE", "NOT_AUTHORIZED", "AVAILABLE")}, topic: "models", want: []string{"WARN", "model catalog"}},
		"no agreement":      {replies: map[string]reply{"GetFoundationModelAvailability": availability("PENDING", "AUTHORIZED", "AVAILABLE")}, topic: "models", want: []string{"WARN", "PENDING"}},
		"model elsewhere":   {replies: map[string]reply{"GetFoundationModelAvailability": availability("AVAILABLE", "AUTHORIZED", "NOT_AVAILABLE")}, topic: "models", want: []string{"ok ai_model", "WARN embedding_model: amazon.embed is not offered"}},
		"models are secret": {replies: map[string]reply{"GetInferenceProfile": refused("AccessDeniedException")}, topic: "models", want: []string{"WARN us.amazon.nova was not checked", "ok embedding_model"}},
		"no mail":           {topic: "mail", want: []string{"WARN nobody can register"}},
		"no alarms":         {change: func(p *Plan, _ map[string]string) { p.AlarmEmail = "" }, topic: "alarms", want: []string{"WARN", "alarm_email"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, env := managed(), standIn(t, with(test.replies))
			if test.change != nil {
				test.change(&p, env)
			}
			var out strings.Builder
			err := Run(t.Context(), p, env, &out)
			if fails := strings.HasPrefix(test.want[0], "FAIL"); errors.Is(err, ErrRefused) != fails {
				t.Errorf("the result is %v", err)
			}
			got := find(Check(t.Context(), p, env), test.topic)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in:\n%s", want, got)
				}
			}
		})
	}
}

func TestFaultsOfSecrets(t *testing.T) {
	t.Parallel()
	const account = `{"type":"service_account","client_email":"a@b"}`
	for name, test := range map[string]struct {
		replies map[string]reply
		change  func(*Plan)
		want    string
	}{
		"missing":     {replies: map[string]reply{"DescribeSecret mail": refused("ResourceNotFoundException")}, want: "FAIL mail_secret: mail does not exist in us-east-1: aws secretsmanager create-secret --name mail --secret-string 'smtps://"},
		"deleted":     {replies: map[string]reply{"DescribeSecret mail": good(`{"DeletedDate":1.7e9}`)}, want: "FAIL mail_secret: mail is about to be deleted: aws secretsmanager restore-secret"},
		"own key":     {replies: map[string]reply{"DescribeSecret mail": good(`{"KmsKeyId":"arn:aws:kms:us-east-1:1:key/2"}`)}, want: "FAIL mail_secret: mail is encrypted by a key of your own"},
		"not allowed": {replies: map[string]reply{"DescribeSecret mail": refused("AccessDeniedException")}, want: "WARN mail_secret, mail, was not checked: AccessDeniedException"},
		"unreadable":  {replies: map[string]reply{"GetSecretValue mail": refused("AccessDeniedException")}, want: "WARN mail_secret, what mail contains, was not checked"},
		"empty":       {replies: holding(map[string]string{"mail": ""}), want: "FAIL mail_secret: mail is empty"},
		"line break":  {replies: holding(map[string]string{"mail": "smtps://u:s3cret@h:465\n"}), want: "FAIL mail_secret: mail begins or ends with a space or a line break"},
		"JSON":        {replies: holding(map[string]string{"mail": `{"url":"s3cret"}`}), want: "FAIL mail_secret: mail is JSON"},
		"no mail":     {replies: holding(map[string]string{"mail": "imap://u:s3cret@h"}), want: "FAIL mail_secret: mail is not smtps://"},
		"no cache":    {replies: holding(map[string]string{"cache": "http://u:s3cret@h"}), change: func(p *Plan) { p.CacheSecret = "cache" }, want: "FAIL cache_secret: cache is not rediss://"},
		"no account":  {replies: holding(map[string]string{"push": account}), change: func(p *Plan) { p.PushSecret = "push" }, want: "FAIL push_secret: push is not the JSON key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := managed()
			p.MailSecret, p.MailFrom = "mail", "a@example.tl"
			if test.change != nil {
				p.MailSecret = ""
				test.change(&p)
			}
			var out strings.Builder
			_ = Run(t.Context(), p, standIn(t, with(test.replies)), &out)
			if got := strings.ReplaceAll(out.String(), "  secrets       ", " "); !strings.Contains(got, test.want) {
				t.Errorf("%q is not in:\n%s", test.want, got)
			}
			if strings.Contains(out.String(), "s3cret") {
				t.Errorf("a secret is printed:\n%s", out.String())
			}
		})
	}
}

// The sender may be verified by itself, by its domain or by a domain above.
func TestSES(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		replies map[string]reply
		want    string
	}{
		"address":  {nil, "ok SES has verified a@mail.example.tl\n"},
		"above":    {map[string]reply{"GetEmailIdentity": refused("NotFoundException"), "GetEmailIdentity example.tl": good(`{"VerifiedForSendingStatus":true}`)}, "ok SES has verified example.tl\n"},
		"unknown":  {map[string]reply{"GetEmailIdentity": refused("NotFoundException")}, "WARN SES refuses mails from a@mail.example.tl: verify its domain, aws sesv2 create-email-identity --email-identity mail.example.tl --region eu-west-1"},
		"pending":  {map[string]reply{"GetEmailIdentity": good(`{"VerifiedForSendingStatus":false}`)}, "WARN SES refuses mails"},
		"sandbox":  {map[string]reply{"GetAccount": good(`{"SendingEnabled":true,"ProductionAccessEnabled":false}`)}, "WARN SES is in its sandbox in eu-west-1"},
		"stopped":  {map[string]reply{"GetAccount": good(`{"SendingEnabled":false}`)}, "WARN SES has stopped"},
		"no right": {map[string]reply{"GetAccount": refused("AccessDeniedException")}, "WARN the account of SES in eu-west-1 was not checked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &checks{Plan: Plan{MailFrom: "A <a@mail.example.tl>"}, env: standIn(t, with(test.replies))}
			if err := c.load(t.Context(), "us-east-1"); err != nil {
				t.Fatal(err)
			}
			c.ses(t.Context(), "eu-west-1")
			if got := find(c.findings, "mail"); !strings.Contains(got, test.want) {
				t.Errorf("%q is not in:\n%s", test.want, got)
			}
		})
	}
	if m := sesHost.FindStringSubmatch(hostOf("smtps://AKIA:a/b+c@email-smtp.eu-west-1.amazonaws.com:465")); m == nil || m[1] != "eu-west-1" {
		t.Errorf("the server of SES is not recognised: %q", m)
	}
}

// A mail server that refuses the login, or does not answer, is a warning: this machine's network may block the port.
func TestAMailServerThatDoesNotLetUsIn(t *testing.T) {
	t.Parallel()
	p := managed()
	p.MailSecret = "mail"
	env := standIn(t, with(holding(map[string]string{"mail": "smtp://u:s3cret@127.0.0.1:1"})))
	p.MailFrom = "nobody"
	if got := find(Check(t.Context(), p, env), "mail"); !strings.Contains(got, `FAIL mail_from: "nobody" is not an address`) {
		t.Errorf("a sender that is none:\n%s", got)
	}
	p.MailFrom = "a@example.tl"
	if got := find(Check(t.Context(), p, env), "mail"); !strings.Contains(got, "WARN 127.0.0.1 does not let us in") || strings.Contains(got, "s3cret") {
		t.Errorf("a server that is down:\n%s", got)
	}
}

package preflight

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// reply is what a stand-in answers to an operation.
type reply struct {
	status int
	body   string
}

func good(body string) reply { return reply{http.StatusOK, body} }

// refused is an error of a service that answers JSON.
func refused(code string) reply {
	return reply{http.StatusBadRequest, fmt.Sprintf(`{"__type":%q,"code":%q,"message":"said by the test"}`, code, code)}
}

// refusedXML is an error of a service that answers XML.
func refusedXML(code string) reply {
	return reply{http.StatusBadRequest, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>said by the test</Message></Error></ErrorResponse>"}
}

// services answers as AWS does in an account where all is well: a reply for each operation. Some are for one name alone.
func services() map[string]reply {
	return map[string]reply{
		"GetCallerIdentity": good(`<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>` +
			`<Arn>arn:aws:iam::111122223333:user/ana</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`),
		"DescribeStacks":                stack("CREATE_COMPLETE", "28"),
		"GetAccountSettings":            good(`{"AccountLimit":{"ConcurrentExecutions":1000}}`),
		"DescribeAvailabilityZones":     good(zones("zoneName", "availabilityZoneInfo", "us-east-1a", "us-east-1b", "us-east-1c")),
		"DescribeInstanceTypeOfferings": good(zones("location", "instanceTypeOfferingSet", "us-east-1a", "us-east-1b", "us-east-1c")),
		"DescribeCertificate":           certificate("ISSUED", "*.example.tl"),
		"GetHostedZone": good(`<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Name>example.tl.</Name>` +
			`<CallerReference>x</CallerReference></HostedZone></GetHostedZoneResponse>`),
		"DescribeSecret":                 good(`{"Name":"x"}`),
		"GetSecretValue":                 refused("AccessDeniedException"),
		"GetAccount":                     good(`{"SendingEnabled":true,"ProductionAccessEnabled":true}`),
		"GetEmailIdentity":               good(`{"VerifiedForSendingStatus":true}`),
		"GetInferenceProfile":            good(`{"status":"ACTIVE"}`),
		"GetFoundationModelAvailability": availability("AVAILABLE", "AUTHORIZED", "AVAILABLE"),
	}
}

func stack(status, version string) reply {
	return good(`<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>CDKToolkit</StackName><StackStatus>` + status +
		`</StackStatus><Outputs><member><OutputKey>BootstrapVersion</OutputKey><OutputValue>` + version +
		`</OutputValue></member></Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
}

func zones(name, set string, names ...string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("<item><" + name + ">" + n + "</" + name + "></item>")
	}
	return "<Response><" + set + ">" + b.String() + "</" + set + "></Response>"
}

func certificate(status, name string) reply {
	return good(`{"Certificate":{"Status":"` + status + `","DomainName":"` + name + `"}}`)
}

func availability(agreement, authorization, region string) reply {
	return good(`{"modelId":"m","agreementAvailability":{"status":"` + agreement + `"},"authorizationStatus":"` + authorization +
		`","entitlementAvailability":"AVAILABLE","regionAvailability":"` + region + `"}`)
}

// standIn serves the replies. A reply of "OPERATION NAME" is for that name.
func standIn(t *testing.T, replies map[string]reply) map[string]string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
			t.Errorf("%s is not signed", r.URL)
		}
		operation, name := operationOf(r, string(body))
		answer, ok := replies[operation+" "+name]
		if !ok {
			answer, ok = replies[operation]
		}
		if !ok {
			t.Errorf("a call that changes something, or is unknown: %s %s %s", r.Method, r.URL, body)
			answer.status = http.StatusNotFound
		}
		if code := `"code":"`; answer.status != http.StatusOK && strings.Contains(answer.body, code) {
			_, rest, _ := strings.Cut(answer.body, code)
			code, _, _ := strings.Cut(rest, `"`)
			w.Header().Set("X-Amzn-ErrorType", code)
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(server.Close)
	return map[string]string{"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL}
}

// operationOf reads the operation out of a request, and the name that it is about.
func operationOf(r *http.Request, body string) (string, string) {
	if _, target, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		_, rest, _ := strings.Cut(body, `"SecretId":"`)
		name, _, _ := strings.Cut(rest, `"`)
		return target, name
	}
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	for prefix, operation := range map[string]string{
		"/2016-08-19/account-settings": "GetAccountSettings", "/2013-04-01/hostedzone/": "GetHostedZone", "/v2/email/account": "GetAccount",
		"/v2/email/identities/": "GetEmailIdentity", "/inference-profiles/": "GetInferenceProfile",
		"/foundation-model-availability/": "GetFoundationModelAvailability",
	} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return operation, last
		}
	}
	form, _ := url.ParseQuery(body)
	return form.Get("Action"), ""
}

// with is services with some replies in place of others.
func with(changes map[string]reply) map[string]reply {
	all := services()
	for name, r := range changes {
		all[name] = r
	}
	return all
}

// holds secrets with values.
func holding(values map[string]string) map[string]reply {
	out := make(map[string]reply)
	for name, value := range values {
		out["GetSecretValue "+name] = good(fmt.Sprintf(`{"Name":%q,"SecretString":%q}`, name, value))
	}
	return out
}

// find returns the findings of a topic, one a line.
func find(findings []Finding, topic string) string {
	var b strings.Builder
	for _, f := range findings {
		if f.Topic == topic {
			fmt.Fprintf(&b, "%s %s\n", f.Level, f.Text)
		}
	}
	return b.String()
}

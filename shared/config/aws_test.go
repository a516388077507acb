package config_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/shared/config"
)

// service answers any call and remembers who signed it.
func service(t *testing.T, body string) (string, *string) {
	t.Helper()
	signed := new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*signed = r.Header.Get("Authorization") + " " + r.Header.Get("X-Amz-Security-Token")
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, signed
}

func TestLoad(t *testing.T) {
	t.Parallel()
	everything, signedAll := service(t, `{"QueueUrls":[]}`)
	secrets, signedOne := service(t, `{"SecretString":"x"}`)
	cfg, err := config.LoadAWS(t.Context(), map[string]string{
		"AWS_REGION": "ap-southeast-2", "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session",
		"AWS_ENDPOINT_URL": everything, "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqs.NewFromConfig(cfg).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(*signedAll, "Credential=AKIDTEST/") || !strings.Contains(*signedAll, "/ap-southeast-2/sqs/") || !strings.HasSuffix(*signedAll, " session") {
		t.Errorf("signed as %q", *signedAll)
	}
	*signedAll = ""
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
	if err != nil || aws.ToString(out.SecretString) != "x" {
		t.Fatalf("got %v, %v", out, err)
	}
	if *signedAll != "" || *signedOne == "" {
		t.Error("the endpoint of one service does not go before that of all")
	}
}

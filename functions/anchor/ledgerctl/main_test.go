package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/hedera"
	"github.com/lafaekstreet/backend/shared/config"
)

// function is the configuration of the function anchor before the ledger has a topic: no account and no topic.
func function(t *testing.T) config.Env {
	t.Helper()
	server, err := aws.Start(aws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	net, err := hedera.Start(hedera.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = net.Close() })
	client := kms.NewFromConfig(server.Config())
	key, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecEccSecgP256k1, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	public, err := client.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: key.KeyMetadata.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	if err := net.SetAccount("0.0.2001", public.PublicKey, 1000*hedera.TinybarsPerHbar); err != nil {
		t.Fatal(err)
	}
	env := config.Env{"HEDERA_NETWORK": "local", "HEDERA_MIRROR_URL": net.MirrorURL(), "AWS_KMS_KEY_ID": *key.KeyMetadata.Arn}
	for name, value := range server.Env() {
		env[name] = value
	}
	var nodes []string
	for address, account := range net.Nodes() {
		nodes = append(nodes, address+"="+account)
	}
	env["HEDERA_NODES"] = strings.Join(nodes, ",")
	return env
}

// One command makes the topic inside of the function, whose role alone may sign. The command is sent once, to the live version.
func TestTheFunctionMakesTheTopic(t *testing.T) {
	env := function(t)
	calls := 0
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if r.URL.String() != "/2015-03-31/functions/lafaekstreet-staging-anchor/invocations?Qualifier=live" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		payload, _ := io.ReadAll(r.Body)
		answer, err := anchor.Command(r.Context(), env, payload)
		if err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(front.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_LAMBDA": front.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"} {
		t.Setenv(name, value)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-stage", "staging", "-account", "0.0.2001", "create-topic"}, &out); err != nil {
		t.Fatal(err)
	}
	topic := regexp.MustCompile(`^HEDERA_TOPIC_REPORTS=(0\.0\.[0-9]+)\n$`).FindStringSubmatch(out.String())
	if topic == nil {
		t.Fatalf("it prints %q", out.String())
	}
	env["HEDERA_ACCOUNT_ID"], env["HEDERA_TOPIC_REPORTS"] = "0.0.2001", topic[1]
	out.Reset()
	if err := run(t.Context(), []string{"-stage", "staging", "check-key"}, &out); err != nil || !strings.Contains(out.String(), "the KMS key is the key of account 0.0.2001") {
		t.Errorf("%v, %q", err, out.String())
	}
	for want, args := range map[string][]string{
		"the topic exists":                 {"-stage", "staging", "create-topic"},
		`"burn" is no command`:             {"-stage", "staging", "burn"},
		"call the function anchor of else": {"-stage", "else", "check-key"},
		"name one command":                 {"-stage", "staging"},
	} {
		calls = 0
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), want) || calls > 1 {
			t.Errorf("%v: %v after %d calls", args, err, calls)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// outputsFile is where the CLI writes the outputs of a deploy.
const outputsFile = ".run/outputs.json"

// afterDeploy prints the address of the stage, asks it whether it works, and says what to do next.
func afterDeploy(ctx context.Context, root string) error {
	s, err := operatorSettings(root)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(root, outputsFile))
	if err != nil {
		return fmt.Errorf("read what the deploy has written: %w", err)
	}
	outputs, err := readOutputs(raw)
	if err != nil {
		return err
	}
	if outputs["URL"] == "" { // not all stacks were deployed
		return nil
	}
	err = smoke(ctx, outputs["URL"], os.Stdout)
	for i, step := range s.nextSteps(outputs) {
		fmt.Printf("%d. %s\n", i+1, step)
	}
	return err
}

// readOutputs returns the outputs of all stacks by their names. The distribution has the name of the API's address too; it is
// the one that people use.
func readOutputs(raw []byte) (map[string]string, error) {
	var stacks map[string]map[string]string
	if err := json.Unmarshal(raw, &stacks); err != nil {
		return nil, fmt.Errorf("read %s: %w", outputsFile, err)
	}
	out := make(map[string]string)
	for stack, values := range stacks {
		for name, value := range values {
			if out[name] == "" || strings.HasSuffix(stack, "-edge") {
				out[name] = value
			}
		}
	}
	return out, nil
}

// smoke asks the pages that touch each part: the functions, the database and the queues (/health/ready), the pages and the API. It
// writes nothing. A stage may need a moment until its name is known.
func smoke(ctx context.Context, url string, out io.Writer) error {
	url = strings.TrimRight(url, "/")
	_, _ = fmt.Fprintf(out, "\n%s\n", url)
	var faults []error
	for _, path := range []string{"/health", "/health/ready", "/", "/docs", "/api/v1/meta", "/api/v1/public/reports", "/log/keys"} {
		status, err := answerOf(ctx, url+path)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("%s does not answer: %w", path, err))
		case status != http.StatusOK:
			faults = append(faults, fmt.Errorf("%s answers %d; look at infra/RUNBOOK.md, server-errors", path, status))
		default:
			_, _ = fmt.Fprintf(out, "  ok  %s\n", path)
		}
	}
	return errors.Join(faults...)
}

func answerOf(ctx context.Context, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := (&http.Client{Timeout: 35 * time.Second}).Do(req) // a database that sleeps needs up to 25 s
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// nextSteps is what is still to be done in a stage with these settings, in order.
func (s settings) nextSteps(outputs map[string]string) []string {
	url := strings.TrimRight(outputs["URL"], "/")
	var steps []string
	add := func(needed bool, format string, args ...any) {
		if needed {
			steps = append(steps, fmt.Sprintf(format, args...))
		}
	}
	add(s.Domain != "" && s.HostedZone == "", "Point %s to %s at your name server (CNAME).", s.Domain, outputs["DomainTarget"])
	add(s.PublicBaseURL == "", `Set "public_base_url": %q in cdk.json: links in mails begin with it.`, url)
	add(s.MailSecret == "", `Nobody can register yet: set mail_secret and mail_from. README.md, "Deploy it".`)
	add(!s.Protect, `Set "protect": true in cdk.json: then nothing that keeps data is deleted by mistake.`)
	add(len(steps) > 0, "make deploy")
	add(outputs["AdminSetupSecret"] != "", "Once: make the first administrator at %s/admin#setup with the token of\n   aws secretsmanager get-secret-value --secret-id '%s' --query SecretString --output text",
		url, outputs["AdminSetupSecret"])
	add(s.HederaAccount == "", "When checkpoints shall be on the ledger: infra/RUNBOOK.md, \"The ledger's account and topic\".")
	add(true, "Once: load boundaries and names of places. infra/RUNBOOK.md, \"The map\".")
	without := ""
	if s.HederaAccount == "" {
		without = " WITHOUT=ledger"
	}
	add(s.MailSecret != "", "Play the story of a report, with an address whose mails you read; it says what it leaves:\n   DEMO_EMAIL=you@example.org make demo URL=%s%s", url, without)
	return steps
}

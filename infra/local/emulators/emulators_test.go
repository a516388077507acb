package emulators

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lafaekstreet/backend/shared/config"
)

// run starts a program of EMULATORS on a free port, with the arguments and the variables that start returns for it, and returns a configuration of the SDK with its address. The program ends with
// the test.
func run(t *testing.T, name string, start func(port string) ([]string, []string)) aws.Config {
	t.Helper()
	dir := os.Getenv("EMULATORS")
	if dir == "" {
		t.Skip("make emulators runs this test")
	}
	address := free(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	args, env := start(port)
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	await(t, address)
	cfg, err := config.LoadAWS(t.Context(), map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "access",
		"AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// free is an address with a port that nobody uses.
func free(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// await returns when the address answers HTTP, whatever it answers.
func await(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not answer", address)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

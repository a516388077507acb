package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

func TestCertificatesAreBesideEveryFunction(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	in := inputs{asset: func(name string) string { return filepath.Join(root, name) }}
	for _, f := range catalog.Functions() {
		if err := os.MkdirAll(in.asset(string(f.Name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ file, want string }{
		"good": {good + good, ""}, "empty": {"", "no certificate"}, "a key": {good + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PRIVATE KEY"},
		"an answer instead": {"<Error>AccessDenied</Error>", "no certificate"}, "broken": {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x509"},
	} {
		if err := os.WriteFile(filepath.Join(root, "ca.pem"), []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		err := placeCA(root, settings{DatabaseCA: "ca.pem"}, in)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := placeCA(root, settings{DatabaseCA: "missing.pem"}, in); err == nil {
		t.Error("a file that is not there is taken")
	}
	if err := placeCA(root, settings{}, in); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(in.asset("auth"), caFile)); err == nil {
		t.Error("the certificates of a former setting are still deployed")
	}
}

// Each function of the managed profile verifies the certificate of its database.
func TestAuroraIsVerified(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all["managed"].Functions() {
		if url, ok := f.Env["DATABASE_URL"]; ok && !strings.HasSuffix(url, "?sslmode=verify-full&sslrootcert=/var/task/database-ca.pem") {
			t.Errorf("%s: %s", f.Name, url)
		}
	}
}

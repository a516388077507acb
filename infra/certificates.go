package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// placeCA copies the certificates of the setting database_ca into the folder of every function. Without the setting it
// removes what an earlier run has put there.
func placeCA(root string, s settings, in inputs) error {
	var certificates []byte
	if s.DatabaseCA != "" {
		var err error
		if certificates, err = readCertificates(filepath.Join(root, s.DatabaseCA)); err != nil {
			return fmt.Errorf("context \"lafaekstreet\": database_ca: %w", err)
		}
	}
	for _, f := range catalog.Functions() {
		path := filepath.Join(in.asset(string(f.Name)), caFile)
		if certificates == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove certificates: %w", err)
			}
			continue
		}
		if err := os.WriteFile(path, certificates, 0o644); err != nil { // certificates are public, and the user that Lambda runs as has to read them
			return fmt.Errorf("place certificates: %w", err)
		}
	}
	return nil
}

// readCertificates reads a file of certificates in PEM. A file that contains anything else is an error.
func readCertificates(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found := 0
	for rest := raw; ; found++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s contains a %s; only certificates may be in it", path, block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if found == 0 {
		return nil, fmt.Errorf("%s contains no certificate in PEM", path)
	}
	return raw, nil
}

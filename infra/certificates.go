package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// placeCA puts the certificates of the setting database_ca beside every function's
// binary, and takes away those of a setting before.
func placeCA(root string, s settings, in inputs) error {
	var certificates []byte
	if s.DatabaseCA != "" {
		var err error
		if certificates, err = readCertificates(filepath.Join(root, s.DatabaseCA)); err != nil {
			return fmt.Errorf("context \"lafaekstreet\": database_ca: %w", err)
		}
	}
	for _, f := range in.functions {
		path := filepath.Join(in.asset(f.Name), caFile)
		if certificates == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove certificates: %w", err)
			}
			continue
		}
		if err := os.WriteFile(path, certificates, 0o644); err != nil { // certificates are public, and Lambda's user must read them
			return fmt.Errorf("place certificates: %w", err)
		}
	}
	return nil
}

// readCertificates reads a file of certificates in PEM, and of nothing else.
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
			return nil, fmt.Errorf("%s holds a %s: certificates alone", path, block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if found == 0 {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return raw, nil
}

package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"testing"
)

func key(t *testing.T) string {
	t.Helper()
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

func sealer(t *testing.T, keys ...string) *Sealer {
	t.Helper()
	s, err := New(Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenNeedsKeyPurposeAndEveryByte(t *testing.T) {
	t.Parallel()
	k := key(t)
	s := sealer(t, k)
	sealed := s.Seal("totp", []byte("secret"))
	if plain, err := s.Open("totp", sealed); err != nil || string(plain) != "secret" {
		t.Fatalf("got %q, %v", plain, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, try := range map[string]func() error{
		"another purpose": func() error { _, err := s.Open("mail", sealed); return err },
		"another key":     func() error { _, err := sealer(t, key(t)).Open("totp", sealed); return err },
		"a flipped bit":   func() error { _, err := s.Open("totp", flipped); return err },
		"nothing":         func() error { _, err := s.Open("totp", nil); return err },
	} {
		if err := try(); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if bytes.Equal(sealed, s.Seal("totp", []byte("secret"))) {
		t.Error("the same text seals differently each time")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old, fresh := key(t), key(t)
	sealed := sealer(t, old).Seal("totp", []byte("secret"))
	if _, err := sealer(t, fresh, old).Open("totp", sealed); err != nil {
		t.Errorf("the old key still opens: %v", err)
	}
}

func TestMalformedKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, k := range []string{"", "short", base64.StdEncoding.EncodeToString([]byte("16 bytes exactly"))} {
		if _, err := New(Config{Keys: []string{k}}); err == nil {
			t.Errorf("%q was taken", k)
		}
	}
}

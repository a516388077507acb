package seal_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/lafaekstreet/backend/shared/seal"
)

func TestMACOutlivesARotation(t *testing.T) {
	t.Parallel()
	key := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
	open := func(keys ...string) *seal.Sealer {
		s, err := seal.New(seal.Config{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := open(key(1)).MAC("otp", []byte("123456"))
	rotated := open(key(2), key(1))
	if !rotated.CheckMAC("otp", before, []byte("123456")) {
		t.Error("not found after the rotation")
	}
	for name, found := range map[string]bool{
		"other data":    rotated.CheckMAC("otp", before, []byte("123457")),
		"other purpose": rotated.CheckMAC("email", before, []byte("123456")),
		"other key":     open(key(3)).CheckMAC("otp", before, []byte("123456")),
	} {
		if found {
			t.Errorf("%s: taken for the same", name)
		}
	}
}

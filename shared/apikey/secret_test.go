package apikey_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/lafaekstreet/backend/shared/apikey"
)

func TestSecretsHave256RandomBits(t *testing.T) {
	t.Parallel()
	one, other := apikey.NewSecret(), apikey.NewSecret()
	form := regexp.MustCompile(`^lsk_[A-Za-z0-9_-]{43}$`)
	if !form.MatchString(one) || !form.MatchString(other) || one == other {
		t.Errorf("got %q and %q", one, other)
	}
	if bytes.Equal(apikey.Hash(one), apikey.Hash(other)) || len(apikey.Hash(one)) != 32 || !bytes.Equal(apikey.Hash(one), apikey.Hash(one)) {
		t.Error("a hash is not that of its secret alone")
	}
}

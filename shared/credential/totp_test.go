package credential_test

import (
	"testing"
	"time"

	"github.com/pquerna/otp"
	pquerna "github.com/pquerna/otp/totp"

	"github.com/lafaekstreet/backend/shared/credential"
)

// RFC 6238, appendix B, SHA-1, the last six of its eight digits.
func TestCodesOfTheStandard(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := credential.TOTPCode(secret, credential.TOTPStep(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestAppsReadTheURI(t *testing.T) {
	t.Parallel()
	secret := credential.NewTOTPSecret()
	key, err := otp.NewKeyFromURL(credential.TOTPURI(secret, "ana@example.tl"))
	if err != nil {
		t.Fatal(err)
	}
	if key.Issuer() != "LafaekStreet" || key.AccountName() != "ana@example.tl" || key.Secret() != credential.TOTPText(secret) {
		t.Errorf("read %s, %s", key.Issuer(), key.AccountName())
	}
	now := time.Unix(1_800_000_000, 0)
	code, err := pquerna.GenerateCode(key.Secret(), now)
	if err != nil || code != credential.TOTPCode(secret, credential.TOTPStep(now)) {
		t.Errorf("an app shows %s (%v)", code, err)
	}
}

func TestCheckTakesANeighbourAndNoStepTwice(t *testing.T) {
	t.Parallel()
	secret, now := credential.NewTOTPSecret(), time.Unix(1_800_000_000, 0)
	present := credential.TOTPStep(now)
	for offset, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		step, ok := credential.CheckTOTP(secret, credential.TOTPCode(secret, present+offset), now, 0)
		if ok != want || ok && step != present+offset {
			t.Errorf("offset %d: step %d, %v", offset, step, ok)
		}
	}
	if _, ok := credential.CheckTOTP(secret, credential.TOTPCode(secret, present), now, present); ok {
		t.Error("a used step is taken again")
	}
	if _, ok := credential.CheckTOTP(secret, credential.TOTPCode(secret, present-1), now, present); ok {
		t.Error("a step before the used one is taken")
	}
	for _, junk := range []string{"", "12345", "1234567", "abcdef"} {
		if _, ok := credential.CheckTOTP(secret, junk, now, 0); ok {
			t.Errorf("%q is taken", junk)
		}
	}
}

package credential_test

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/credential"
)

// FuzzCode: a code is taken for the step it is the code of, within one step of
// now and after the last one that was taken; no other text is.
func FuzzCode(f *testing.F) {
	secret := []byte("12345678901234567890")
	f.Add("94287082", int64(59), int64(0))
	f.Add("287082", int64(59), int64(0))
	f.Add("287082", int64(59), int64(1))
	f.Add(" 287082", int64(59), int64(-5))
	f.Add("٢٨٧٠٨٢", int64(59), int64(0))
	f.Add("", int64(0), int64(0))
	f.Fuzz(func(t *testing.T, code string, seconds, last int64) {
		now := time.Unix(seconds%(1<<40), 0)
		present := credential.TOTPStep(now)
		step, ok := credential.CheckTOTP(secret, code, now, last)
		if ok && (credential.TOTPCode(secret, step) != code || step < present-1 || step > present+1 || step <= last) {
			t.Errorf("%q at step %d is taken for step %d after %d", code, present, step, last)
		}
		if own := credential.TOTPCode(secret, present); len(own) != 6 {
			t.Errorf("code %q", own)
		} else if _, ok := credential.CheckTOTP(secret, own, now, present-2); !ok {
			t.Errorf("step %d does not take its own code", present)
		}
		if _, twice := credential.CheckTOTP(secret, code, now, max(last, step)); ok && twice && credential.TOTPCode(secret, step+1) != code && credential.TOTPCode(secret, step+2) != code {
			t.Errorf("%q is taken twice", code)
		}
	})
}

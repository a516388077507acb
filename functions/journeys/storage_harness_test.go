package journeys_test

import (
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// setupWithStorage is setup with the stand-in for S3, behind the gateway and its limits.
func setupWithStorage(t testing.TB) (*bundle, *testenv.System) {
	t.Helper()
	w := testenv.New(t, journeys.Open)
	return &bundle{t: t, url: w.URL, db: w.DB, signer: w.Signer}, w
}

// fail lets every call of an operation of S3 fail from now on.
func fail(t testing.TB, w *testenv.System, operation string) {
	t.Helper()
	if err := w.Faults.Add(faults.Fault{Service: "s3", Operation: operation, Mode: faults.Error, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
}

package journeys

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/problem"
)

// If S3 breaks off, the client is told to try again, and not that its file is broken. It does not matter where.
func TestAFileThatS3BreaksOffIsNotCalledBroken(t *testing.T) {
	t.Parallel()
	plain := []byte(`<gpx version="1.1"><wpt lat="-8.5" lon="125.5"><name>Dili</name></wpt></gpx>`)
	for name, whole := range map[string][]byte{"plain": plain, "packed": packed(t, plain)} {
		for at := range len(whole) {
			broken := io.MultiReader(bytes.NewReader(whole[:at]), iotest.ErrReader(io.ErrUnexpectedEOF))
			file, err := unpackFile(&boundedReader{broken, trackfile.MaxBytes, storageAway(nil)}, io.NopCloser(nil))
			if err == nil {
				_, err = trackfile.Read(file, time.Now(), nil)
				err = importProblem(err)
			}
			var fault *problem.Error
			if !errors.As(err, &fault) || fault.Kind != problem.Unavailable || fault.RetryAfter == 0 {
				t.Fatalf("%s, broken off after %d bytes: %v", name, at, err)
			}
		}
	}
}

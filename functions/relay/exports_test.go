package relay

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/opendata"
)

// The files of open data go while something in them may be out of public sight, also after a run in which storage failed, and
// export is asked to write them again. Otherwise they stay.
func TestStaleExportsAreWithdrawn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, f := range opendata.Formats() {
		if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(f.Key()), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(files, written int) {
		t.Helper()
		stored := 0
		for _, f := range opendata.Formats() {
			if _, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: awssdk.String("media"), Key: awssdk.String(f.Key())}); err == nil {
				stored++
			}
		}
		if got := b.count(`SELECT count(*) FROM export_requests WHERE report_id = '00000000-0000-0000-0000-000000000000'`); stored != files || got != written {
			t.Errorf("%d files, want %d; written %d, want %d", stored, files, got, written)
		}
	}
	b.exec(`INSERT INTO export_requests (report_id) VALUES ($1)`, uuid.Nil) // export has written them
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	want(2, 1)
	b.exec(`INSERT INTO export_requests (report_id) VALUES (gen_random_uuid())`)
	if err := b.faults.Add(faults.Fault{Service: "s3", Operation: "DeleteObject", Mode: faults.Error, Skip: 0, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	if err := b.run(); err == nil {
		t.Error("a failed deletion is not told")
	}
	want(2, 1)
	b.faults.Clear()
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	want(0, 0)
}

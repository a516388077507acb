package meta_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/shared/upload"
)

// The limits in the guide to pictures are those of the code.
func TestGuideToPicturesHasTheLimits(t *testing.T) {
	t.Parallel()
	text := guideText(t, "pictures")
	for _, row := range []string{
		fmt.Sprintf("| largest file | %d bytes", upload.MaxBytes),
		fmt.Sprintf("| largest file in a request to this API | %d bytes", upload.MaxThroughAPI),
		fmt.Sprintf("| pixels, width times height | %d |", upload.MaxPixels),
		fmt.Sprintf("| an upload that belongs to no report is deleted after | %d days |", int(upload.Life.Hours()/24)),
	} {
		if !strings.Contains(text, row) {
			t.Errorf("the guide does not say %q", row)
		}
	}
}

// The guide to offline work says what to do with each result of a batch.
func TestGuideToOfflineWorkHasEveryResult(t *testing.T) {
	t.Parallel()
	text := guideText(t, "offline")
	field, _ := reflect.TypeFor[reports.BatchResult]().FieldByName("Status")
	for status := range strings.SplitSeq(field.Tag.Get("enum"), ",") {
		if !strings.Contains(text, "\n| `"+status+"` |") {
			t.Errorf("the guide does not say what %s means", status)
		}
	}
}

func guideText(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("guide/" + name + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

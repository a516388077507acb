package aws_test

import (
	"os"
	"path/filepath"
	"testing"
)

// copyQueues copies the queues' files of a server that is still running.
func copyQueues(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "sqs"), os.DirFS(filepath.Join(dir, "sqs"))); err != nil {
		t.Fatal(err)
	}
	return to
}

package storage

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

func TestRememberedLinksAreBounded(t *testing.T) {
	t.Parallel()
	now := timestamp.NewManual(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("A", "s", "")}
	links := NewLinks(cfg, Config{Bucket: "media"}, now)
	link := func(key string) {
		t.Helper()
		if _, err := links.Link(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	link("first")
	for i := range 19_998 {
		links.known[strconv.Itoa(i)] = ""
	}
	link("second")
	if len(links.known) != 20_000 {
		t.Fatalf("%d links are remembered, want 20000", len(links.known))
	}
	link("third")
	if len(links.known) != 1 {
		t.Errorf("%d links are remembered after one too many, want 1", len(links.known))
	}
}

package s3

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// An object that was read keeps its bytes when others are written. On disk they would be those of the file's memory map.
func TestAnObjectThatWasReadKeepsItsBytes(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.backend.CreateBucket("media"); err != nil {
		t.Fatal(err)
	}
	write := func(fill byte) []byte {
		body := bytes.Repeat([]byte{fill}, 100_000)
		if _, err := s.backend.PutObject("media", "key", map[string]string{}, bytes.NewReader(body), int64(len(body)), nil); err != nil {
			t.Fatal(err)
		}
		return body
	}
	want := write('a')
	first, err := s.backend.GetObject("media", "key", nil)
	if err != nil {
		t.Fatal(err)
	}
	part, err := s.backend.GetObject("media", "key", &gofakes3.ObjectRangeRequest{Start: 10, End: 19})
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.backend.HeadObject("media", "key")
	if err != nil {
		t.Fatal(err)
	}
	hash := bytes.Clone(first.Hash)
	for range 8 { // the pages of the first version are used again
		write('b')
	}
	if got, err := io.ReadAll(first.Contents); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the object has other bytes, error %v", err)
	}
	if got, err := io.ReadAll(part.Contents); err != nil || string(got) != "aaaaaaaaaa" {
		t.Errorf("a part of the object: %q, %v", got, err)
	}
	if !bytes.Equal(first.Hash, hash) || !bytes.Equal(head.Hash, hash) {
		t.Error("the hash of the object changed")
	}
}

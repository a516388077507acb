package locale

import (
	"io/fs"
	"path"
	"strings"
	"testing"
)

// A page reads only the files of its topics, so each key stands in the file of its topic.
func TestKeysOfPagesStandInTheFileOfTheirTopic(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(files, "catalog/pages/*.json")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	for _, file := range names {
		texts, err := read(file)
		if err != nil {
			t.Fatal(err)
		}
		for key := range texts {
			if name, ok := topicOf(key); !ok || name+".json" != path.Base(file) {
				t.Errorf("%s: %s is of the topic %q", file, key, name)
			}
		}
	}
	all, err := messages()
	if err != nil {
		t.Fatal(err)
	}
	for key := range all {
		if strings.HasPrefix(key, pagePrefix) {
			t.Errorf("%s stands outside of pages", key)
		}
	}
}

package locale

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Each file of the catalog holds the texts of one topic: {"key": {"en": "…", "pt": "…", "tet": "…"}}.
// Texts may name parameters as {name}. Keys of the files in pages begin with "page." and the name of the file, and no others do;
// what several pages say is in common, also without this name.
//
//go:embed catalog/*.json catalog/pages/*.json
var files embed.FS

// pagePrefix begins the keys of the texts that only pages show.
const pagePrefix = "page."

// Entries are the texts of each key by language.
type Entries map[string]map[Language]string

// messages are the texts that no page has.
var messages = sync.OnceValues(func() (Entries, error) { return read("catalog/*.json") })

// topics has the function that reads the texts of each topic of the pages, by its name. A topic is read when a text of it is first
// asked for: most functions show no page, and a page needs few topics.
var topics sync.Map

func topic(name string) (Entries, error) {
	load, _ := topics.LoadOrStore(name, sync.OnceValues(func() (Entries, error) { return read("catalog/pages/" + name + ".json") }))
	return load.(func() (Entries, error))()
}

// topicOf returns the topic of a key of the pages; false for another key.
func topicOf(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, pagePrefix)
	if !ok {
		return "", false
	}
	if name, _, ok := strings.Cut(rest, "."); ok {
		return name, true
	}
	return "common", true
}

func read(pattern string) (Entries, error) {
	all := make(Entries)
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var part Entries
		if err := json.Unmarshal(raw, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, texts := range part {
			if _, dup := all[key]; dup {
				return nil, fmt.Errorf("%s: %q is in another file too", name, key)
			}
			all[key] = texts
		}
	}
	return all, nil
}

// entries returns the part of the catalog that has the key.
func entries(key string) (Entries, error) {
	if name, ok := topicOf(key); ok {
		return topic(name)
	}
	return messages()
}

// Catalog returns every text of the system. It fails only if a file is malformed; a
// test checks that none is.
func Catalog() (Entries, error) {
	all := make(Entries)
	for _, pattern := range []string{"catalog/*.json", "catalog/pages/*.json"} {
		texts, err := read(pattern)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, texts)
	}
	return all, nil
}

// PageTexts returns the texts of a topic of the pages in l, by their keys without "page." and the topic: that of
// "page.desk.verify" is under "verify" in the topic "desk".
func PageTexts(l Language, name string) map[string]string {
	all, err := topic(name)
	if err != nil {
		return nil
	}
	out := make(map[string]string)
	for key, texts := range all {
		short, ok := strings.CutPrefix(key, pagePrefix+name+".")
		if !ok {
			continue
		}
		if out[short], ok = texts[l]; !ok {
			out[short] = texts[Default]
		}
	}
	return out
}

// Text returns the text of key in l, with {name} replaced by params["name"]. It
// returns the English text if there is none in l, and false if the key is unknown.
func Text(l Language, key string, params map[string]string) (string, bool) {
	all, err := entries(key)
	if err != nil {
		return "", false
	}
	texts, ok := all[key]
	if !ok {
		return "", false
	}
	text, ok := texts[l]
	if !ok {
		text = texts[Default]
	}
	if len(params) == 0 || !strings.Contains(text, "{") {
		return text, true
	}
	pairs := make([]string, 0, 2*len(params))
	for name, value := range params {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text), true
}

// TextFor is the text of key, which takes no parameters, in the reader's language. It is empty when there is no such key.
func TextFor(ctx context.Context, key string) string {
	text, _ := Text(FromContext(ctx), key, nil)
	return text
}

// Label returns the label of a word of the API, as it stands within a sentence: that of a status is "label.status.<word>". It
// is false for a word without a label.
func Label(l Language, kind, word string) (string, bool) {
	text, ok := Text(l, "label."+kind+"."+word, nil)
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + text[size:], ok
}

// Capitalized is a text that begins with a capital letter: one that stands within a sentence elsewhere.
func Capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

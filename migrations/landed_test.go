package migrations_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unused are the numbers below 30 that no file has. Branches that took them never landed. New files leave no gaps.
var unused = []int{9, 13, 14, 17, 20, 22, 23, 24}

// fileNames are the migrations in the order in which they are applied.
func fileNames(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("migrations: %v (%v)", names, err)
	}
	return names
}

// Goose applies files by number and refuses a file below the highest number that a database has. So a new file takes
// the next number.
func TestNumbersFollowEachOther(t *testing.T) {
	t.Parallel()
	if err := checkNumbers(fileNames(t)); err != "" {
		t.Error(err)
	}
	for _, c := range []struct{ names, want string }{
		{"00001_a.sql 00002_b.sql 00002_c.sql", "00002_c.sql: number 2 instead of 3"},
		{"00001_a.sql 00003_b.sql", "00003_b.sql: number 3 instead of 2"},
		{"00001_a.sql 0002_b.sql", "0002_b.sql: a name is five digits, an underscore and small letters"},
		{"00001_a.sql 00002_B.sql", "00002_B.sql: a name is five digits, an underscore and small letters"},
	} {
		if got := checkNumbers(strings.Fields(c.names)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.names, got, c.want)
		}
	}
}

// checkNumbers returns what is wrong with the first name that is not as it should be, else "".
func checkNumbers(names []string) string {
	pattern := regexp.MustCompile(`^(\d{5})_[a-z_]+\.sql$`)
	next := 1
	for _, name := range names {
		match := pattern.FindStringSubmatch(name)
		if match == nil {
			return name + ": a name is five digits, an underscore and small letters"
		}
		for slices.Contains(unused, next) {
			next++
		}
		if number, _ := strconv.Atoi(match[1]); number != next {
			return name + ": number " + strconv.Itoa(number) + " instead of " + strconv.Itoa(next)
		}
		next++
	}
	return ""
}

// A migration that has landed keeps its effect: databases that have it never run it again. testdata/landed.txt holds the
// hash of each file's statements; comments and spaces do not count.
func TestLandedFilesKeepTheirEffect(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/landed.txt")
	if err != nil {
		t.Fatal(err)
	}
	landed := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		hash, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		landed[name] = hash
	}
	for _, name := range fileNames(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(statements(string(text))))
		got, want := hex.EncodeToString(sum[:]), landed[name]
		delete(landed, name)
		switch {
		case want == "":
			t.Errorf("a new migration: add this line to migrations/testdata/landed.txt\n%s  %s", got, name)
		case got != want:
			t.Errorf("%s has other statements than when it landed: put the change into a new migration.\n"+
				"Only if no main branch and no database has it yet, change its line to\n%s  %s", name, got, name)
		}
	}
	for name := range landed {
		t.Errorf("%s has landed and is gone", name)
	}
}

// statements are what a file does: comments are left out, but for goose's own, and spaces outside quotes count as one.
func statements(text string) string {
	var out strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, "-- +goose"):
			line, rest, _ := strings.Cut(text, "\n")
			out.WriteString(line + "\n")
			text = rest
		case strings.HasPrefix(text, "--"):
			_, text, _ = strings.Cut(text, "\n")
			text = "\n" + text
		case text[0] == '\'' || text[0] == '"':
			end := strings.IndexByte(text[1:], text[0]) + 2
			if end < 2 {
				end = len(text)
			}
			out.WriteString(text[:end])
			text = text[end:]
		case strings.ContainsRune(" \t\n", rune(text[0])):
			if s := out.String(); s != "" && s[len(s)-1] != ' ' && s[len(s)-1] != '\n' {
				out.WriteByte(' ')
			}
			text = strings.TrimLeft(text, " \t\n")
		default:
			out.WriteByte(text[0])
			text = text[1:]
		}
	}
	return strings.TrimSpace(out.String())
}

func TestStatements(t *testing.T) {
	t.Parallel()
	base := statements("-- +goose Up\n\nCREATE TABLE a (\n    b text -- it's b\n);")
	for text, same := range map[string]bool{
		"-- +goose Up\n-- Another comment.\nCREATE TABLE a ( b text\n);\n":        true,
		"-- +goose Up\nCREATE TABLE a ( b text NOT NULL );":                       false,
		"-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a ( b text );":      false,
		"-- +goose Up\nCREATE TABLE a ( b text DEFAULT '-- it' );":                false,
		"-- +goose Up\nCREATE TABLE a (\n    b text -- it's b\n);\nDROP TABLE a;": false,
	} {
		if got := statements(text); (got == base) != same {
			t.Errorf("%q is the same as %q: %v, want %v", got, base, !same, same)
		}
	}
	if statements("SELECT 'a  b'") == statements("SELECT 'a b'") {
		t.Error("spaces within quotes do not count")
	}
}

package sdks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// generate runs OpenAPI Generator, which is a program in Java, and returns the folder with what it made.
func generate(t *testing.T, kind, document string) string {
	t.Helper()
	requireMake(t)
	out := t.TempDir()
	command(t, ".", nil, "java", "-jar", "node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar",
		"generate", "-g", kind, "-i", "../../../functions/meta/"+document, "-o", out)
	return out
}

var clientMethod = regexp.MustCompile(`^export class (\w+)|^    public (\w+\(.*)options\?: any\)`)

// TestJourneyClient compares the classes of the published client and their methods with a list. An app is built on these names
// and parameters, so none of them may change.
func TestJourneyClient(t *testing.T) {
	source := read(t, filepath.Join(generate(t, "typescript-axios", "journey-client.json"), "api.ts"))
	var got strings.Builder
	for line := range strings.Lines(source) {
		switch m := clientMethod.FindStringSubmatch(line); {
		case m == nil:
		case m[1] != "":
			got.WriteString(m[1] + "\n")
		default:
			got.WriteString("  " + strings.TrimSuffix(m[2], ", ") + ")\n")
		}
	}
	if want := read(t, "testdata/journey-client.txt"); got.String() != want {
		t.Errorf("the client has\n%s\nwant\n%s", got.String(), want)
	}
}

var (
	dartClass  = regexp.MustCompile(`^class (\w+)`)
	dartMaker  = regexp.MustCompile(`^  \w+\(\{`) // the constructor, after all members
	dartMember = regexp.MustCompile(`^  (?:static const |final )?[\w<>, ]+ (\w+)(?: =.*)?;`)
)

// TestDartMembersAreUnique reads the classes that the generator makes for Dart. No Dart compiler is to be had here. This
// version of the generator writes "= ;" behind a required member with an enum of its own. That is no valid Dart.
func TestDartMembersAreUnique(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(generate(t, "dart", "openapi-3.0.json"), "lib/model/*.dart"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	members := 0
	for _, file := range files {
		class, seen := "", map[string]bool{}
		for line := range strings.Lines(read(t, file)) {
			if m := dartClass.FindStringSubmatch(line); m != nil {
				class, seen = m[1], map[string]bool{}
			}
			if dartMaker.MatchString(line) {
				break // this version writes the class of the schema first, then enums that have values alone
			}
			if m := dartMember.FindStringSubmatch(line); m != nil {
				if seen[m[1]] {
					t.Errorf("%s has the member %s twice", class, m[1])
				}
				seen[m[1]] = true
				members++
			}
		}
	}
	if members < 1000 {
		t.Errorf("only %d members were found", members)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

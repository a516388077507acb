package sdks

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/missing"
)

const generatorJar = "node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar"

// generate runs OpenAPI Generator, which is a program in Java, and returns the folder with what it made.
func generate(t *testing.T, kind, document string, options ...string) string {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		missing.Program(t, "no Java on this machine: the client for Dart and that of journeys are not made")
	}
	out := t.TempDir()
	args := []string{"java", "-jar", generatorJar, "generate", "-g", kind, "-i", "../../../functions/meta/" + document, "-o", out}
	command(t, ".", nil, append(args, options...)...)
	return out
}

var clientMethod = regexp.MustCompile(`^export class (\w+)|^    public (\w+\(.*)options\?: any\)`)

// TestJourneyClient compares the classes of the published client and their methods with a list. An app is built on these names
// and parameters, so none of them may change.
func TestJourneyClient(t *testing.T) {
	requireMake(t)
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
	dartClass  = regexp.MustCompile(`^(?:abstract )?class (\w+)`)
	dartMaker  = regexp.MustCompile(`^  \w+\(\{`) // the constructor, after all members
	dartMember = regexp.MustCompile(`^  (?:static const |final )?\w[\w<>, ]* (\w+)(?: =.*)?;`)
)

// dartOptions mend two types that this version of the generator declares nowhere: of any value, and of a file of a form.
func dartOptions() []string {
	return []string{"--type-mappings", "AnyType=Object", "--import-mappings", "ReportForm=,ImageForm=,UploadForm=,ImportForm="}
}

// TestDart reads what the generator makes for Dart. No Dart compiler is to be had here.
func TestDart(t *testing.T) {
	requireMake(t)
	tree := generate(t, "dart", "openapi-3.0.json", append(dartOptions(), "-t", dartTemplates(t))...)
	models, err := filepath.Glob(filepath.Join(tree, "lib/model/*.dart"))
	if err != nil || len(models) < 100 {
		t.Fatalf("%d files, %v", len(models), err)
	}
	t.Run("members are unique", func(t *testing.T) { checkMembers(t, models) })
	t.Run("nothing is invalid", func(t *testing.T) { checkDart(t, dartFiles(t, tree)) })
}

// dartTemplates mends one template of this version of the generator: it escapes the quotes of the words of an enum for HTML. Versions
// from 5.0.0 do not.
func dartTemplates(t *testing.T) string {
	t.Helper()
	jar, err := zip.OpenReader(generatorJar)
	if err != nil {
		t.Fatal(err)
	}
	defer jar.Close()
	template, err := fs.ReadFile(jar, "dart2/enum.mustache")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mended := bytes.ReplaceAll(template, []byte("_internal({{value}})"), []byte("_internal({{{value}}})"))
	if err := os.WriteFile(filepath.Join(dir, "enum.mustache"), mended, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkMembers finds members that a class has twice.
func checkMembers(t *testing.T, files []string) {
	t.Helper()
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

var (
	dartNoise = regexp.MustCompile(`//.*|"[^"]*"|'[^']*'`)
	dartName  = regexp.MustCompile(`\b[A-Z]\w*`)
	// What this version of the generator writes and Dart does not take: "= ;" behind a required member with words of its own,
	// and an entity of HTML.
	dartFault = regexp.MustCompile(`= ;|&\w+;`)
)

// dartKnown are the names of Dart and its libraries that the generator uses.
const dartKnown = " ArgumentError BaseRequest Client DateFormat DateTime Exception FormatException Function Future Iterable List Map Match MultipartFile " +
	"MultipartRequest Object RegExp Request Response StackTrace Stream StreamedRequest StreamedResponse String T Type Uri "

// dartFiles are all files of the library.
func dartFiles(t *testing.T, tree string) []string {
	t.Helper()
	top, err := filepath.Glob(filepath.Join(tree, "lib/*.dart"))
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(filepath.Join(tree, "lib/*/*.dart"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(top, below)
}

// checkDart finds places that are no valid Dart, and types that are declared nowhere.
func checkDart(t *testing.T, files []string) {
	t.Helper()
	declared, used := make(map[string]bool), make(map[string]string)
	for _, file := range files {
		for line := range strings.Lines(read(t, file)) {
			code := dartNoise.ReplaceAllString(line, "''")
			if dartFault.MatchString(code) {
				t.Errorf("%s: %s", filepath.Base(file), strings.TrimSpace(line))
			}
			if m := dartClass.FindStringSubmatch(code); m != nil {
				declared[m[1]] = true
			}
			for _, name := range dartName.FindAllString(code, -1) {
				used[name] = filepath.Base(file)
			}
		}
	}
	for name, file := range used {
		if !declared[name] && !strings.Contains(dartKnown, " "+name+" ") {
			t.Errorf("%s uses %s, which is declared nowhere", file, name)
		}
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

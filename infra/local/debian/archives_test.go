package debian

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOnlyArchivesOfTheDistributionAreUsed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, text string
		want       []string
	}{
		"stanzas": {"sources.list.d/debian.sources", `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/a.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`, []string{
			"deb [signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian bookworm main",
			"deb [signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian bookworm-updates main",
			"deb http://mirror.example/debian-security bookworm-security main",
		}},
		"lines": {"sources.list", `# a comment
deb http://mirror.example/debian-security bookworm-security main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib
`, []string{
			"deb [signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib",
			"deb http://mirror.example/debian-security bookworm-security main",
		}},
		"another publisher's archive": {"sources.list.d/tool.list", "deb http://tool.example/apt bookworm stable\n", nil},
		"switched off": {"sources.list.d/debian.sources",
			"Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\nEnabled: no\n", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			etc := t.TempDir()
			if err := os.MkdirAll(filepath.Join(etc, "sources.list.d"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(etc, test.file), []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			found, err := machineArchives(etc, "bookworm")
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, entry := range found {
				lines = append(lines, entry.line("deb"))
			}
			if !slices.Equal(lines, test.want) {
				t.Errorf("got %q, want %q", lines, test.want)
			}
		})
	}
}

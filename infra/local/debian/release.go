package debian

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Release is a release of a distribution, for example "debian" with the codename "bookworm".
type Release struct{ ID, Codename string }

// ReadRelease reads the release that this machine runs from a file in the format of os-release(5).
func ReadRelease(path string) (Release, error) {
	file, err := os.Open(path)
	if err != nil {
		return Release{}, fmt.Errorf("read release of the operating system: %w", err)
	}
	defer file.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	if err := lines.Err(); err != nil {
		return Release{}, fmt.Errorf("read release of the operating system: %w", err)
	}
	return Release{ID: values["ID"], Codename: values["VERSION_CODENAME"]}, nil
}

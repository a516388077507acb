package debian

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// archive is one suite of a package archive; sources.list(5) explains the fields.
type archive struct {
	uri, suite string
	components []string
	signedBy   string // path of a keyring; empty: the keys that the machine trusts
}

func (a archive) line(kind string) string {
	options := ""
	if a.signedBy != "" {
		options = "[signed-by=" + a.signedBy + "] "
	}
	return fmt.Sprintf("%s %s%s %s %s", kind, options, a.uri, a.suite, strings.Join(a.components, " "))
}

// machineArchives returns the archives of the distribution among the apt sources in etc: those with the component "main"
// of the release with this codename, of its updates and of its security fixes. The release itself comes first; without
// it there is no result.
func machineArchives(etc, codename string) ([]archive, error) {
	suites := []string{codename, codename + "-updates", codename + "-security"}
	paths := slices.Concat([]string{filepath.Join(etc, "sources.list")},
		inDirectory(etc, "*.list"), inDirectory(etc, "*.sources"))
	var found []archive
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read package sources: %w", err)
		}
		parse := parseList
		if filepath.Ext(path) == ".sources" {
			parse = parseDeb822
		}
		for _, entry := range parse(string(text)) {
			if slices.Contains(suites, entry.suite) && slices.Contains(entry.components, "main") {
				found = append(found, entry)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b archive) int {
		return slices.Index(suites, a.suite) - slices.Index(suites, b.suite)
	})
	if len(found) > 0 && found[0].suite != codename {
		return nil, nil
	}
	return found, nil
}

// parseList reads the one-line format of *.list files: deb [options] uri suite component…
func parseList(text string) []archive {
	var found []archive
	for line := range strings.Lines(text) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		entry := archive{}
		line = strings.TrimSpace(line)
		if rest, bracketed := strings.CutPrefix(line, "["); bracketed {
			options, after, closed := strings.Cut(rest, "]")
			if !closed {
				continue
			}
			line = after
			for _, option := range strings.Fields(options) {
				if path, ok := strings.CutPrefix(option, "signed-by="); ok {
					entry.signedBy = path
				}
			}
		}
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		entry.uri, entry.suite, entry.components = fields[0], strings.TrimSuffix(fields[1], "/"), fields[2:]
		found = append(found, entry)
	}
	return found
}

// parseDeb822 reads the stanza format of *.sources files.
func parseDeb822(text string) []archive {
	var found []archive
	for _, stanza := range strings.Split(text, "\n\n") {
		fields := map[string]string{}
		for line := range strings.Lines(stanza) {
			if name, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, " ") {
				fields[strings.ToLower(name)] = strings.TrimSpace(value)
			}
		}
		if !slices.Contains(strings.Fields(fields["types"]), "deb") || strings.EqualFold(fields["enabled"], "no") {
			continue
		}
		signedBy := fields["signed-by"]
		if !filepath.IsAbs(signedBy) {
			signedBy = "" // the field holds the key itself: use the keys that the machine trusts
		}
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, suite := range strings.Fields(fields["suites"]) {
				found = append(found, archive{uri: uri, suite: suite,
					components: strings.Fields(fields["components"]), signedBy: signedBy})
			}
		}
	}
	return found
}

func inDirectory(etc, pattern string) []string {
	found, err := filepath.Glob(filepath.Join(etc, "sources.list.d", pattern))
	if err != nil {
		return nil // the only error is a malformed pattern, and the patterns are constants
	}
	return found
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// module is a module that is linked into a function.
type module struct {
	Path, Version, Dir string
	Licence            string // SPDX identifiers joined by " AND ", "unknown" or "none found"
}

// permissive reports whether the licence requires only that the authors are named.
func (m module) permissive() bool {
	known := []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "BSD-0-Clause", "Unlicense", "Zlib", "CC0-1.0"}
	for id := range strings.SplitSeq(m.Licence, " AND ") {
		if !slices.Contains(known, id) {
			return false
		}
	}
	return true
}

// linked returns the modules that the packages of the pattern depend on, without this one, sorted by path.
func linked(ctx context.Context, pattern string) ([]module, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Module", "-tags", "lambda.norpc", pattern)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	seen := map[string]module{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read packages: %w", err)
		}
		if m := p.Module; m != nil && !m.Main {
			seen[m.Path] = module{Path: m.Path, Version: m.Version, Dir: m.Dir}
		}
	}
	var all []module
	for _, m := range seen {
		if m.Licence, err = licenceOf(m.Dir); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.-].*)?$`)

// licenceOf reads the licence files at the top of a module.
func licenceOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("read module: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", fmt.Errorf("read licence: %w", err)
		}
		if id := identify(string(text)); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return "none found", nil
	}
	slices.Sort(ids)
	return strings.Join(ids, " AND "), nil
}

// phrase is a text by which a licence is recognized.
type phrase struct{ id, text string }

// strict are the licences that require more than that. They are searched first, because a file may contain several
// licences. Of several names in a text, the first one is used: the GPL, for example, also mentions the AGPL.
var strict = []phrase{
	{"AGPL", "gnu affero general public license"},
	{"LGPL", "gnu lesser general public license"},
	{"GPL", "gnu general public license"},
	{"MPL-2.0", "mozilla public license"},
	{"EPL", "eclipse public license"},
	{"SSPL", "server side public license"},
	{"BUSL", "business source license"},
}

var lenient = []phrase{
	{"Apache-2.0", "apache license version 2.0"},
	{"BSD-3-Clause", "neither the name of"},
	{"BSD-3-Clause", "names of its contributors"},
	{"BSD-2-Clause", "redistributions in binary form must reproduce"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"Unlicense", "free and unencumbered software released into the public domain"},
	{"CC0-1.0", "cc0 1.0 universal"},
	{"Zlib", "this software is provided 'as-is', without any express or implied warranty"},
}

// identify returns the licence of a text, or "unknown".
func identify(text string) string {
	flat := strings.ToLower(strings.Join(strings.Fields(text), " "))
	flat = strings.ReplaceAll(flat, "apache license, version 2.0", "apache license version 2.0")
	found, first := "", len(flat)
	for _, m := range strict {
		if at := strings.Index(flat, m.text); at >= 0 && at < first {
			found, first = m.id, at
		}
	}
	if found != "" {
		return found
	}
	for _, m := range lenient {
		if strings.Contains(flat, m.text) {
			return m.id
		}
	}
	return "unknown"
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	found, err := linked(ctx, "./functions/...")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(2)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	refused := 0
	for _, m := range found {
		note := ""
		if !m.permissive() {
			note = "  NOT PERMISSIVE"
			refused++
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s%s\n", m.Path, m.Version, m.Licence, note)
	}
	_ = out.Flush()
	if refused > 0 {
		os.Exit(1)
	}
}

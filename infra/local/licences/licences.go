package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is one that is linked in.
type module struct {
	Path, Version, Dir string
	Licence            string // SPDX identifiers joined by " AND "; empty when none was recognized
}

// permissive says that naming the authors is all a licence asks.
func (m module) permissive() bool {
	known := []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "BSD-0-Clause", "Unlicense", "Zlib", "CC0-1.0"}
	for id := range strings.SplitSeq(m.Licence, " AND ") {
		if !slices.Contains(known, id) {
			return false
		}
	}
	return true
}

// linked are the modules whose packages a command below the pattern needs, ours left out, in order.
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

// mark is a sentence that a licence has and no other.
type mark struct{ id, sentence string }

// strict ask more than naming the authors. A file with several licences is as strict as the strictest; one of these may
// name another of them in passing, after its own name.
var strict = []mark{
	{"AGPL", "gnu affero general public license"},
	{"LGPL", "gnu lesser general public license"},
	{"GPL", "gnu general public license"},
	{"MPL-2.0", "mozilla public license"},
	{"EPL", "eclipse public license"},
	{"SSPL", "server side public license"},
	{"BUSL", "business source license"},
}

var lenient = []mark{
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

func identify(text string) string {
	flat := strings.ToLower(strings.Join(strings.Fields(text), " "))
	flat = strings.ReplaceAll(flat, "apache license, version 2.0", "apache license version 2.0")
	found, first := "", len(flat)
	for _, m := range strict {
		if at := strings.Index(flat, m.sentence); at >= 0 && at < first {
			found, first = m.id, at
		}
	}
	if found != "" {
		return found
	}
	for _, m := range lenient {
		if strings.Contains(flat, m.sentence) {
			return m.id
		}
	}
	return "unknown"
}

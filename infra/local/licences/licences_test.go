package main

import "testing"

// The licences of all linked modules may require only that the authors are named.
func TestOnlyPermissiveLicencesAreLinkedIn(t *testing.T) {
	t.Chdir("../../..") // which forbids running in parallel
	found, err := linked(t.Context(), "./functions/...")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("found only %d modules", len(found))
	}
	for _, m := range found {
		if !m.permissive() {
			t.Errorf("%s %s is under %s", m.Path, m.Version, m.Licence)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"MIT License\n\nPermission is hereby granted, free of\ncharge, to any person obtaining a copy": "MIT",
		"                                 Apache License\n                           Version 2.0":      "Apache-2.0",
		"GNU GENERAL PUBLIC LICENSE Version 3 … 13. Use with the GNU Affero General Public License.":   "GPL",
		"GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3":                                                 "LGPL",
		"This is the Mozilla Public License Version 2.0":                                               "MPL-2.0",
		"All rights reserved.": "unknown",
		"Permission is hereby granted, free of charge, to any person obtaining a copy … or the GNU General Public License": "GPL",
	} {
		if got := identify(text); got != want {
			t.Errorf("%.40q is %s, want %s", text, got, want)
		}
	}
	for licence, want := range map[string]bool{"MIT": true, "Apache-2.0 AND BSD-3-Clause": true, "MIT AND GPL": false, "unknown": false, "none found": false, "": false} {
		if got := (module{Licence: licence}).permissive(); got != want {
			t.Errorf("%q: %v", licence, got)
		}
	}
	for file, want := range map[string]bool{"LICENSE": true, "LICENSE.md": true, "COPYING": true, "licence-apache": true, "licences.go": false, "README": false} {
		if got := licenceFile.MatchString(file); got != want {
			t.Errorf("%s: %v", file, got)
		}
	}
}

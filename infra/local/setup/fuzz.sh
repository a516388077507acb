#!/bin/sh
# Runs every fuzz target for FUZZTIME (10m), JOBS (2) targets at a time with one worker each. Prints one line per target.
# TARGETS is a regular expression that selects targets. Go keeps an input that fails in testdata/fuzz of the package.
set -u
mkdir -p .run/fuzz
one() {
	package=${1%:*} target=${1#*:}
	log=.run/fuzz/$target.log
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10m}" -fuzzminimizetime 100x -parallel 1 "$package" >"$log" 2>&1
	status=$?
	done=$(grep -oE 'elapsed: [^,]*, execs: [0-9]+' "$log" | tail -n 1)
	found=$(grep -oE 'new interesting: [0-9]+ \(total: [0-9]+\)' "$log" | tail -n 1)
	# Go may report its own deadline as a failure, without a failing input. That is not a finding.
	if [ $status -ne 0 ] && grep -qx ' *context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; then status=0; fi
	if [ $status -eq 0 ]; then verdict='no finding'; else verdict="FINDING: see $log"; fi
	printf '%-22s %-38s %-36s %-34s %s\n' "$target" "$package" "$done" "$found" "$verdict"
	return $status
}
if [ $# -eq 1 ]; then
	one "$1"
	exit
fi
grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' functions shared infra |
	sed -E 's|^(.*)/[^/]*:[0-9]+:func (Fuzz.*)$|./\1:\2|' | grep -E "${TARGETS:-.}" | sort |
	xargs -P "${JOBS:-2}" -n 1 "$0"

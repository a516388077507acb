#!/bin/sh
# Usage: package.sh NAME WITHOUT PACKAGE... -- COMMAND...
# Ensures that the machine has one of the commands. As root it installs the first of the PACKAGEs that can be installed.
# Without root, or without apt-get, it prints what does not work WITHOUT the command, and succeeds.
set -eu
name=$1 without=$2
shift 2
packages=
while [ "$1" != -- ]; do
	packages="$packages $1"
	shift
done
shift
for command in "$@"; do
	if command -v "$command" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "note: $name is missing: $without" >&2
	exit 0
fi
echo "$name is missing; installing the distribution's package" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt-get update -qq >"$log" 2>&1 || true
for package in $packages; do
	if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >"$log" 2>&1; then exit 0; fi
done
echo "cannot install $name: $(tail -n 1 "$log")" >&2
exit 1

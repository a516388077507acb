#!/bin/sh
# Sees to it that there is a Chromium for the tests of pages. As root it installs the distribution's.
set -eu
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "note: Chromium is missing; pages will not be tested in a browser" >&2
	exit 0
fi
echo "Chromium is missing; installing the distribution's package" >&2
log=$(mktemp)
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >"$log" 2>&1; then
	echo "cannot install Chromium: $(tail -n 1 "$log")" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"

#!/bin/sh
# Sees to it that there is a Node.js, which the CDK's library runs in. As root it installs the distribution's.
set -eu
command -v node >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "note: Node.js 20 or later is missing; whatever synthesizes the CDK app will say so" >&2
	exit 0
fi
echo "Node.js is missing; installing the distribution's package" >&2
log=$(mktemp)
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; } >"$log" 2>&1; then
	echo "cannot install Node.js: $(tail -n 1 "$log")" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"

#!/bin/sh
# Makes the files beside this script anew: see README.md.
set -eu
old=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
build=$(mktemp -d)
(cd "$here" && go build -o "$build/make" ./make)
(cd "$old" && go build -o "$build/local" ./infra/local)
rm -rf "$old/.run"
mkdir "$old/.run"
cd "$old"
LEDGER_BATCH_THRESHOLD=1 PORT=8210 "$build/local" >"$build/log" 2>&1 &
system=$!
until grep -q 'is up' "$build/log"; do sleep 1; done
set -a
. "$old/.run/env"
set +a
cd "$here"
"$build/make" http://localhost:8210
pg_dump --no-owner --inserts --rows-per-insert=500 "$(sed -n 's/.*\(postgres:[^ ]*\).*/\1/p' "$build/log" | head -n 1)" |
	grep -v '^\\' | gzip -9n >state.sql.gz
kill "$system"
wait "$system" || true
gzip -9nc "$old/.run/hedera/ledger.jsonl" >ledger.jsonl.gz
cp "$old/.run/aws/kms/keys.json" "$old/.run/secrets.json" .
chmod 644 keys.json secrets.json
grep -E '^(HEDERA_ACCOUNT_ID|HEDERA_TOPIC|AWS_KMS_KEY_ID)' "$old/.run/env" >settings
rm -r "$build"

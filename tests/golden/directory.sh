#!/bin/bash
# Makes tests/golden/directories/format-N anew, as today's programs leave replica 1's directory and the front-end's: what
# integration/golden_directories.sh reads. For a new number N, or while one is being made; as root, like the tests.
#
#   JH_BUILD=build/dev tests/golden/directory.sh N
source "$(dirname "$0")/../integration/lib.sh"
needs_own_host
kept=$(dirname "$0")/directories/format-$1
journal=journal-00000000000000000001

form 2
expect 0 placed order "DH1 3LE" margherita "crème brûlée"
expect 0 placed order --customer Ann "DH1 3LG" tea
expect 0 placed order --client-id 123e4567-e89b-42d3-a456-426614174000 --request 7 "SW1A 1AA" burger fries
stop frontend 2 1
rm -rf "$kept"
mkdir -p "$kept/replica-1" "$kept/frontend"
cp "$(replica_dir 1)"/snapshot-* "$kept/replica-1"
cp "$SCRATCH/frontend/view.json" "$kept/frontend"
"$JH_BUILD/server/justhungry-server" --check "$(replica_dir 1)" >"$kept/check.json"
jq -e '.view == 2 and .op == 3' "$kept/check.json" >/dev/null || fail "not as the test expects: $(<"$kept/check.json")"
# Without the zeros that fill a segment.
last=$({ cmp -l "$(replica_dir 1)/$journal" /dev/zero || true; } 2>/dev/null | tail -n 1 | awk '{ print $1 }')
head -c "$last" "$(replica_dir 1)/$journal" >"$kept/replica-1/$journal"
chmod 644 "$kept"/*/*

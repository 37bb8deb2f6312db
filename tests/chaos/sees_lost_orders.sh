#!/bin/bash
# Whether the whole test, driver, recorder and checker, detects a broken promise: all three disks lie and lose power.
# The verdict of such a run must be "BROKEN", and the reason lost orders.
set -euo pipefail
: "${JH_BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/release}"
export JH_BUILD

if ((EUID != 0)) || [[ ! -e $JH_BUILD/tests/chaos/libchaos_shim.so ]]; then
	echo "skipped: needs root and a build without sanitizers"
	exit 77
fi
directory=$(mktemp -d "${TMPDIR:-/tmp}/justhungry-lying.XXXXXX")
trap 'rm -rf "$directory"' EXIT
status=0
"$(dirname "$0")/run.sh" --seconds 1 --faults lying_disks --keep "$directory/kept" >"$directory/out" 2>&1 || status=$?
if ((status != 1)) || ! grep -q '^WRONG lost: ' "$directory/out" || ! grep -q '^verdict: BROKEN' "$directory/out"; then
	tail -n 60 "$directory/out"
	echo "FAILED: orders were lost, and the verdict was another (status $status)"
	exit 1
fi
grep -E '^(WRONG|verdict)' "$directory/out"

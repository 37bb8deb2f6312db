#!/bin/bash
# Fuzzes without end, or for a time: tests/fuzz/run.sh NAME [SECONDS]. NAME is that of NAME_fuzz.c; without one all are
# listed. Builds with the preset fuzz. New inputs are kept in build/fuzz/tests/fuzz/new/NAME; one that breaks something
# is left in build/fuzz/tests/fuzz/found/ and its path is printed: copy it to tests/fuzz/corpus/NAME/found-WHAT when it
# is fixed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=${1:-}
seconds=${2:-0}
if [[ ! -f $root/tests/fuzz/${name}_fuzz.c ]]; then
	echo "usage: tests/fuzz/run.sh NAME [SECONDS]; NAME is one of:" >&2
	(cd "$root/tests/fuzz" && printf '  %s\n' *_fuzz.c | sed 's/_fuzz\.c$//') >&2
	exit 2
fi
cd "$root"
mkdir -p build
log=build/fuzz-build.log
{ [[ -f build/fuzz/build.ninja ]] || cmake --preset fuzz; } >"$log" 2>&1 &&
	cmake --build --preset fuzz --target "${name}_fuzz" >>"$log" 2>&1 || {
	tail -n 60 "$log" >&2
	echo "tests/fuzz/run.sh: the build failed: see $log; it needs clang and libFuzzer" >&2
	exit 1
}
there=build/fuzz/tests/fuzz
mkdir -p "$there/new/$name" "$there/found"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec nice -n 15 "$there/${name}_fuzz" -max_total_time="$seconds" -max_len=16384 -timeout=60 -rss_limit_mb=1024 \
	-print_final_stats=1 -artifact_prefix="$there/found/$name-" "$there/new/$name" "tests/fuzz/corpus/$name"

#!/bin/bash
# clang-tidy with the repository's .clang-tidy over every .c file of ours; anything it says is a failure. Needs a build
# directory that has been built: the compile commands and what rpcgen makes are taken from there.
#
#   tests/tidy.sh BUILD_DIR [FILE.c...]
set -euo pipefail

build=$(realpath "${1:?usage: tests/tidy.sh BUILD_DIR [FILE.c...]}")
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for tool in clang-tidy git jq; do
	command -v "$tool" >/dev/null || { echo "tests/tidy.sh: $tool is missing: install it (Debian: $tool)" >&2; exit 2; }
done
[[ -f $build/compile_commands.json ]] || {
	echo "tests/tidy.sh: no compile_commands.json in $build" >&2
	exit 2
}
# A mutation compiles a file once more, without one of its lines: that is not how it reads.
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
jq '[.[] | select(.command | contains("/mutant_") | not)]' "$build/compile_commands.json" \
	>"$commands/compile_commands.json"

files=("$@")
((${#files[@]} > 0)) || mapfile -t files < <(git ls-files '*.c')

# Beside its findings clang-tidy counts what it has passed over in other people's headers: that line says nothing. Its
# findings are errors (WarningsAsErrors), so xargs fails with them.
printf '%s\0' "${files[@]}" | xargs -0 -n1 -P"$(nproc)" clang-tidy -p "$commands" --quiet \
	2> >(grep -Ev '^[0-9]+ warnings?( and [0-9]+ errors?)? generated\.$|^[0-9]+ warnings? treated as errors?$' >&2)

#!/bin/bash
# A skip that tests/skips does not list fails the run: unknown tests and functions, other reasons, and what is permitted only
# elsewhere. And whatever is listed exists, and what needs root is listed.
set -euo pipefail
tests=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/Testing/Temporary"
export JH_SKIPS=$scratch/skips
cat >"$JH_SKIPS" <<-'END'
	# comment
	any        integration_some*     no such thing
	any        unit_one/first        -
	sanitizers chaos_minute          left out, needs a build without sanitizers
END

# ran LINES SANITIZERS: whether skipped.sh accepts a run of integration_something that printed them.
ran() {
	printf 'JH_SANITIZE:STRING=%s\n' "${2-}" >"$scratch/CMakeCache.txt"
	printf '1/1 Testing: %s\nOutput:\n%b\nend of output\n' "${3-integration_something}" "$1" \
		>"$scratch/Testing/Temporary/LastTest.log"
	"$tests/skipped.sh" "$scratch" >"$scratch/out" 2>&1
}
fail() {
	echo "FAILED: $*" >&2
	cat "$scratch/out" >&2
	exit 1
}

printf 'JH_SANITIZE:STRING=\n' >"$scratch/CMakeCache.txt"
! "$tests/skipped.sh" "$scratch" >"$scratch/out" 2>&1 || fail "that nothing has run passes"
ran 'Test Passed.' || fail "a passed test is taken for skipped"
ran 'skipped: no such thing here\nTest Skipped.' || fail "a listed skip is not permitted"
grep -q 'skipped: integration_something: no such thing here' "$scratch/out" || fail "it is not told"
! ran 'skipped: another reason\nTest Skipped.' || fail "another reason passes"
! ran 'Test Skipped.' || fail "no reason passes"
! ran 'skipped: no such thing\nTest Skipped.' '' integration_else || fail "another test passes"
ran '[  SKIPPED ] first\n[  SKIPPED ] 1 test(s), listed below:\nTest Passed.' '' unit_one || fail "a listed function is not permitted"
! ran '[  SKIPPED ] second\nTest Passed.' '' unit_one || fail "another function passes"
ran 'left out, needs a build without sanitizers: all\nTest Passed.' address chaos_minute || fail "a listed part is not permitted"
! ran 'left out, needs a build without sanitizers: all\nTest Passed.' '' chaos_minute || fail "it passes without sanitizers"

while read -r when who _; do
	[[ $when =~ ^(user|sanitizers|network|any)$ ]] || fail "tests/skips: when is '$when'?"
	case $who in
	*'*') ;;
	unit_*/*)
		file=${who%%/*}
		grep -q "void ${who#*/}(void" "$tests/unit/${file#unit_}_test.c" || fail "tests/skips: there is no $who"
		;;
	integration_*) [[ -x $tests/integration/${who#integration_}.sh ]] || fail "tests/skips: there is no $who" ;;
	chaos_case_*) grep -q -w "${who#chaos_case_}" "$tests/chaos/CMakeLists.txt" || fail "tests/skips: there is no $who" ;;
	*) grep -q -r --include=CMakeLists.txt -E "(NAME |chaos_test\\()$who " "$tests" || fail "tests/skips: there is no $who" ;;
	esac
done < <(grep -v -E '^(#|$)' "$tests/skips")
for script in "$tests"/integration/*.sh; do
	name=$(basename "$script" .sh)
	[[ $name == lib ]] || ! grep -q '^needs_own_host' "$script" || grep -q "^user *integration_$name  *needs root" "$tests/skips" ||
		fail "integration_$name needs root, and tests/skips does not say so"
done

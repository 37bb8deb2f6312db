#!/bin/bash
# skipped.sh BUILD: what ctest's last run in that build tree skipped, one line each, and the reason. Fails, and says which,
# when one of them is not in tests/skips (or in the file that JH_SKIPS names).
set -euo pipefail

(($# == 1)) || {
	echo "usage: tests/skipped.sh BUILD" >&2
	exit 2
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=${JH_SKIPS:-$here/skips}
log=$1/Testing/Temporary/LastTest.log
[[ -e $log ]] || {
	echo "tests/skipped.sh: no $log: ctest has not run there" >&2
	exit 2
}

own_host=false
if ((EUID == 0)) && unshare --net --mount --pid --fork true 2>/dev/null; then
	own_host=true
fi
sanitizers=$(sed -n 's/^JH_SANITIZE:[A-Z]*=//p' "$1/CMakeCache.txt")

# holds WHEN: whether that is so here. That there is no network the test has found out for itself.
holds() {
	case $1 in
	user) ! "$own_host" ;;
	sanitizers) [[ -n $sanitizers ]] ;;
	network | any) true ;;
	*)
		echo "tests/skips: when is '$1'?" >&2
		return 1
		;;
	esac
}

# permitted NAME REASON
permitted() {
	local when who reason
	while read -r when who reason; do
		# shellcheck disable=SC2053 # patterns
		[[ $1 == $who && $2 == "$reason"* ]] && holds "$when" && return
	done < <(grep -v -E '^(#|$)' "$list")
	return 1
}

# name, a tab, and reason, of every test that was skipped, wholly or in part.
skipped() {
	awk '
		/^[0-9]+\/[0-9]+ Testing: / { name = $3; said = "" }
		/^skipped: / { said = substr($0, 10) }
		/^left out, / { print name "\t" $0 }
		/^\[  SKIPPED \] / && !/test\(s\)/ { print name "/" $4 "\t-" }
		/^Test Skipped/ { print name "\t" said }' "$log" | sort -u
}

status=0
while IFS=$'\t' read -r who reason; do
	if permitted "$who" "$reason"; then
		echo "skipped: $who: ${reason/#-/see its source}"
	else
		echo "tests/skipped.sh: $who was skipped, which tests/skips does not permit here: ${reason:-(it does not say why)}" >&2
		status=1
	fi
done < <(skipped)
exit "$status"

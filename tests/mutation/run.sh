#!/bin/bash
# One mutation: the program that links everything as it is must pass, the same program with one rule's line taken out
# must object, and its objection must name that rule.
#
#   run.sh NAME SOUND-PROGRAM MUTATED-PROGRAM
set -euo pipefail

name=$1 sound=$2 mutated=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
number=${name:5:2}
rule=$((10#$number))
read -r _ kind what function < <(grep "^$name " "$here/mutations")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# What a program that is killed or fails leaves behind goes with the rest.
mkdir "$scratch/tmp"
export TMPDIR=$scratch/tmp

fail() {
	echo "$name: $1" >&2
	tail -n 25 "$2" >&2
	exit 1
}

arguments=()
if [[ $kind == sim ]]; then
	arguments=(--seeds "$what")
	objection="checker: RULE $rule:"
else
	objection="[  FAILED  ] $function"
	# The comment above that function says which rule it stands for.
	awk -v function_name="$function" '
		/^\/\*/ { comment = ""; within = 1 }
		within { comment = comment " " $0; if (/\*\//) within = 0; next }
		$0 ~ "^static void " function_name "\\(" { print comment; exit }
		/^}/ { comment = "" }
	' "$here/../unit/$what.c" | grep -qiE "rules? ([0-9]+(,| and) )*$rule\b" ||
		{ echo "$name: no comment in $what.c says that $function stands for rule $rule" >&2; exit 1; }
fi

"$sound" "${arguments[@]}" >"$scratch/sound" 2>&1 || fail "the sound program does not pass" "$scratch/sound"
# run_mutated: once the test has failed the rest does not matter: without its rule a program may run forever.
run_mutated() {
	"$mutated" "${arguments[@]}" >"$scratch/mutated" 2>&1 &
	local process=$!
	while kill -0 "$process" 2>/dev/null; do
		if grep -qF "$objection" "$scratch/mutated" || ((SECONDS > 240)); then
			kill -KILL "$process" 2>/dev/null || true # a node in it takes SIGTERM for its own
			break
		fi
		sleep 0.05
	done
	wait "$process" 2>/dev/null
}

while true; do
	if run_mutated; then
		fail "survives: nobody objects, so rule $rule is not proved" "$scratch/mutated"
	fi
	if grep -F -m 1 "$objection" "$scratch/mutated"; then
		exit 0
	fi
	# The simulator stops at the first seed that breaks anything; what this rule is for may break at a later one.
	[[ $kind == sim ]] || break
	last=$(sed -n 's/^seed \([0-9]*\) failed.*/\1/p' "$scratch/mutated" | tail -n 1)
	((SECONDS < 240)) && [[ -n $last ]] && ((last < ${what#*..})) || break
	arguments=(--seeds "$((last + 1))..${what#*..}")
done
fail "not caught as rule $rule: \"$objection\" is not said" "$scratch/mutated"

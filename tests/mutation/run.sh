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

fail() {
	echo "$name: $1" >&2
	tail -n 25 "$2" >&2
	exit 1
}

arguments=()
if [[ $kind == sim ]]; then
	arguments=(--seeds "$what")
	objection="judge: RULE $rule:"
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
if timeout 120 "$mutated" "${arguments[@]}" >"$scratch/mutated" 2>&1; then
	fail "survives: nobody objects, so rule $rule is not proved" "$scratch/mutated"
fi
grep -qF "$objection" "$scratch/mutated" || fail "not caught as rule $rule: \"$objection\" is not said" "$scratch/mutated"
grep -F "$objection" "$scratch/mutated" | head -n 1

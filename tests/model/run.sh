#!/bin/bash
# One configuration of the model: ./run.sh NAME [--shortest]. Names and flags: the file configurations; README.md says
# more. Prints the verdict, the number of states and, when a promise was broken, the steps that led there (--shortest:
# as few as can be, found breadth first). Exit status: 0 as expected · 1 not as expected · 2 usage · 77 no spin, no C
# compiler, or not enough time to say: a slow machine proves nothing, and refutes nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${MODEL_SECONDS:-250}     # of search; the longest takes 7 on an idle machine
megabytes=${MODEL_MEGABYTES:-1900}
compiler=${CC:-cc}

die() {
	echo "run.sh: $1" >&2
	exit 2
}

# flags_of NAME: the flags of its line, those of =OTHER in place.
flags_of() {
	local name expected words word
	while read -r name expected words; do
		[[ $name == "$1" ]] || continue
		for word in $words; do
			if [[ $word == =* ]]; then flags_of "${word#=}"; else echo "$word"; fi
		done
		[[ $expected == holds ]] || echo "-D${1^^}"
		return
	done <"$here/configurations"
}

name=${1-}
shortest=${2-}
expected=$(awk -v name="$name" '$1 == name && name !~ /^#/ { print $2 }' "$here/configurations")
[[ -n $expected ]] || die "no configuration '$name': see tests/model/configurations"
[[ -z $shortest || $shortest == --shortest ]] || die "unknown argument '$shortest'"
for tool in spin "$compiler"; do
	command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cp "$here"/*.pml .

mapfile -t flags < <(flags_of "$name")
seed=
for i in "${!flags[@]}"; do
	[[ ${flags[i]} == seed=* ]] || continue
	seed=${flags[i]#seed=}
	unset 'flags[i]'
done
[[ $expected == holds || " ${flags[*]} " == *" -DCUTS_CHECKED "* ]] || flags+=(-DCUTS_UNCHECKED)
search=(-DCOLLAPSE)
order=()
[[ -z $seed || -n $shortest ]] || { search+=(-DT_RAND -DP_RAND); order=("-RS$seed"); }
[[ -z $shortest ]] || { flags+=(-DSHORTEST); search=(-DBFS); }
if ! spin "${flags[@]}" -a replication.pml >spin.log 2>&1 || grep -qi error spin.log; then
	cat spin.log
	exit 1
fi
# Without partial order reduction: it gains nothing here, where each step touches what all share. Most searches are shorter
# than what a better optimisation would take to compile them, and those that end with the first finding, near the start, by
# far.
optimised=-O1
[[ $expected == holds || -n $seed ]] || optimised=-O0
"$compiler" "$optimised" -w -DVECTORSZ=2048 -DNOREDUCE -DSAFETY -DMEMLIM="$megabytes" "${search[@]}" -o search pan.c
status=0
timeout -s INT "$seconds" nice -n 10 ./search -E -m1000000 "${order[@]}" >search.log 2>&1 || status=$?

states=$(awk '/states, stored/ { print $1; exit }' search.log)
took=$(awk '/elapsed time/ { print $4; exit }' search.log)
broken=$(sed -n 's/^pan:1: //p' search.log | head -n 1)
if [[ -n $broken ]]; then
	verdict=broken
elif ((status == 0)) && ! grep -Eq 'out of memory|too small|MEMLIM|Search not completed' search.log; then
	verdict=holds
else
	verdict=unknown # time or memory ran out
fi
echo "$name: $verdict (expected: $expected); states ${states:-?}, seconds ${took:-?}${broken:+; $broken}"
if [[ $verdict == broken ]]; then
	echo "flags: ${flags[*]}"
	spin "${flags[@]}" -t -p -g replication.pml 2>&1 |
		awk -v replicas="$([[ " ${flags[*]} " == *" -DREPLICAS=3 "* ]] && echo 3 || echo 2)" -f "$here/trail.awk"
elif [[ $verdict == unknown ]]; then
	tail -n 20 search.log
	echo "skipped: not searched to its end within $seconds s and $megabytes MB; MODEL_SECONDS and MODEL_MEGABYTES give more"
	exit 77
fi
[[ $verdict == "$expected" ]]

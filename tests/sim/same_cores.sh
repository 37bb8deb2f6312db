#!/bin/bash
# What the simulator runs is what the daemons run: each function of a core's archive is in the simulator and in the
# daemon, of one and the same size.
#
#   same_cores.sh SIM (ARCHIVE DAEMON)...
set -euo pipefail

functions() {
	nm -S --defined-only "$1" 2>/dev/null | awk '$3 == "T" { print $4, $2 }' | sort -u
}

sim=$1
shift
while (($#)); do
	wanted=$(functions "$1")
	[[ $(wc -l <<<"$wanted") -gt 10 ]] || { echo "$1 defines next to nothing" >&2; exit 1; }
	for program in "$sim" "$2"; do
		missing=$(comm -23 <(echo "$wanted") <(functions "$program"))
		if [[ -n $missing ]]; then
			echo "$program was not made from $1: it lacks" >&2
			echo "$missing" >&2
			exit 1
		fi
	done
	shift 2
done

#!/bin/bash
# --min-members 2 refuses orders, but not reads, when one copy is left, and accepts them again when there are two.
source "$(dirname "$0")/lib.sh"

FRONTEND_OPTIONS=(--min-members 2)
form 2
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" "with two"
kill9 "$(a_backup)"
# What was in the log already when the view shrank is kept; what comes after that is refused.
refused() {
	try --timeout 5 order "DH1 3LE" "with one"
	((STATUS == 4)) && grep -q -e '--min-members' <<<"$ERR"
}
wait_for 20 "an order to be refused" refused
expect 0 '#3' history "DH1 3LE"
for id in 1 2; do
	[[ -n ${PIDS[replica-$id]:-} ]] || start_replica "$id"
done
jh --timeout 20 status --wait 2 >/dev/null
expect 0 'placed' order "DH1 3LE" "with two again"

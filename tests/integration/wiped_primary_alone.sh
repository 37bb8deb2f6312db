#!/bin/bash
# All members are gone but one that was wiped: the service says which replicas it waits for and refuses to serve an
# empty history; it serves again when a member that holds the orders is back.
source "$(dirname "$0")/lib.sh"

form 3
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" precious
wait_for 10 "equal digests on all three" members_level 3
kill9 1 2 3
rm -rf "$(replica_dir 2)"
start_replica 2
refuses_and_waits() {
	try --timeout 1 order "DH1 3LE" "must not be taken"
	((STATUS == 4 || STATUS == 5)) || fail "an order without any member: status $STATUS $OUT"
	unavailable_says 'waiting for replicas? .*1.*3'
}
wait_for 30 "status to name replicas 1 and 3" refuses_and_waits
start_replica 3
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' --timeout 30 order "DH1 3LE" "replica 3 is back"
try --json history "DH1 3LE"
jq -e '[.orders[].items[0]] | index("precious") != null' <<<"$OUT" >/dev/null || fail "the order is lost: $OUT"
start_replica 1
jh --timeout 30 status --wait 3 >/dev/null
stop frontend 1 2 3

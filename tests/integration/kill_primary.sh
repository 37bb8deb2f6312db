#!/bin/bash
# The primary is killed with -9 five times under load, each time a new one: no client sees an error or a refusal, every
# acknowledged order is in the history exactly once, and the killed replica comes back as a member.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 30 16
for round in 1 2 3 4 5; do
	victim=$(primary)
	kill9 "$victim"
	wait_for 20 "another primary (round $round)" status_is ".primary > 0 and .primary != $victim"
	orders_flow 20 "again (round $round)"
	start_replica "$victim"
	wait_for 30 "replica $victim to be a backup again (round $round)" role_is "$victim" backup
done
finish load
wait_for 20 "equal digests on all three" members_level 3

# No request waits when the next one is killed: the others would serve at once, and status says so instead of "unavailable".
victim=$(primary)
kill9 "$victim"
jh --timeout 10 status --wait 2 >/dev/null || fail "two replicas are left and status says: $(status_json)"
status_is ".health == \"degraded\" and .primary > 0 and .primary != $victim" || fail "status says: $(status_json)"
expect 0 'Order [0-9]+ \(#' order "DH1 3LE" soup
start_replica "$victim"
wait_for 30 "replica $victim to be a backup again" role_is "$victim" backup
stop frontend 1 2 3

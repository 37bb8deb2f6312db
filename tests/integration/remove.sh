#!/bin/bash
# Lost and removed are distinguished: a replica that died is reported missing, long after it was dropped and forgotten,
# by health, by every form of status and by the next front-end, until `justhungry remove` says that it will not come
# back.
source "$(dirname "$0")/lib.sh"

FRONTEND_OPTIONS+=(--autoclean-s 1)
form 3
expect 3 'replica 3 runs: stop it first' remove 3
expect 3 'replica 9 is not expected' remove 9
expect 2 . remove
expect 2 . remove 0
kill9 3
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" "on two"
log_line() { log_says frontend 'replica 3: lost for 1 s, and missed'; }
wait_for 20 "the dead one to be cleaned away" log_line
missed='degraded: 2 of 3 copies, replica 3 lost since 20[0-9-]* [0-9:]*[+-][0-9:]*'
expect 0 "$missed" status
status_is '.health == "degraded"' || fail "one copy is lost and status says: $(status_json)"
kill9 frontend
start_frontend
wait_for 20 "the next front-end to serve" serving
expect 0 "$missed" status
expect 0 'replica 3 is removed: 2 copies are expected now' remove 3
wait_for 20 "two copies to be all" status_is '.health == "ok"'
expect 0 '^ok' status
# The removal is kept, also by a front-end that has lost everything.
kill9 frontend
rm -rf "$SCRATCH/frontend"
start_frontend
wait_for 20 "a front-end without a directory to serve" serving
wait_for 20 "two copies to be all" status_is '.health == "ok"'
# A replica that comes back is admitted and expected again.
start_replica 3
jh --timeout 20 status --wait 3 >/dev/null
wait_for 20 "three copies" status_is '.health == "ok"'
stop 3
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' order "DH1 3LE" "on two again"
expect 0 "$missed" status
stop frontend 1 2

#!/bin/bash
# A backup is killed with -9 under load, then the other one too: the primary continues alone, nothing is lost, and both
# come back.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 20
first=$(a_backup)
kill9 "$first"
wait_for 20 "a view without the killed backup" status_is '[.replicas[] | select(.role == "backup")] | length == 1'
orders_flow 20 "with two"
second=$(a_backup)
kill9 "$second"
orders_flow 20 "with one"
status_is '.health == "degraded"' || fail "one copy left and status says: $(status_json)"
expect 0 'degraded: 1 of 3 copies, replica [123] lost since 20..-..-.. ..:..:..[+-]..:..' status
start_replica "$first"
start_replica "$second"
wait_for 30 "both to be backups again" status_is '[.replicas[] | select(.role == "backup")] | length == 2'
finish load
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3

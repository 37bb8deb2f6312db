#!/bin/bash
# Everything is killed with -9 at once under load and started again in another order: the clients only see a pause, and
# every acknowledged order is there.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 30
kill9 1 2 3 frontend
start_replica 3
start_frontend
start_replica 1
start_replica 2
jh --timeout 40 status --wait 3 >/dev/null
orders_flow 50 again
kill9 frontend 2 1 3
for id in 2 3 1; do
	start_replica "$id"
done
start_frontend
jh --timeout 40 status --wait 3 >/dev/null
orders_flow 50 again
finish load
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3

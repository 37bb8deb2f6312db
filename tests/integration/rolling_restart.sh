#!/bin/bash
# A rolling upgrade: every replica, the primary too, and then the front-end are stopped with SIGTERM and started again
# under load, one after the other. No client sees an error or a refusal.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 60
for id in 1 2 3; do
	stop "$id"
	start_replica "$id"
	wait_for 30 "replica $id to be a member again" status_is \
		'[.replicas[] | select(.role == "primary" or .role == "backup")] | length == 3'
	orders_flow 50 again
done
stop frontend
start_frontend
orders_flow 50 again
finish load
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3

#!/bin/bash
# The front-end is killed with -9 and started again, three times, under load: no replica and no client is restarted, no
# client sees an error, nothing is lost or duplicated.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 25
for round in 1 2 3; do
	kill9 frontend
	start_frontend
	wait_for 20 "a primary that serves (round $round)" serving
	orders_flow 50 "again (round $round)"
done
finish load
jh --timeout 20 status --wait 3 >/dev/null
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3

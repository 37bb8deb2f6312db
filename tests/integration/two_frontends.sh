#!/bin/bash
# Rule 20: a second front-end ends with one line, whether it shares the first one's directory or brings its own; the
# first continues. Without --new-cluster and without a stored view a front-end forms nothing and says what to type.
source "$(dirname "$0")/lib.sh"

start_replica 1
start_frontend
wait_for 20 "status to name --new-cluster" unavailable_says '--new-cluster'
stop frontend

start_frontend --new-cluster
jh --timeout 20 status --wait 1 >/dev/null
second() { # NAME DIR
	launch "$1" "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$2" --program-base "$BASE" --new-cluster
}
second same-directory "$SCRATCH/frontend"
ends same-directory 1 'in use|is served at'
second own-directory "$SCRATCH/frontend-2"
ends own-directory 1 "$BASE"
for name in same-directory own-directory; do
	(($(grep -c ' error ' "$LOGS/$name.log") <= 1)) || fail "$name says more than one line of error"
done
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" "the first goes on"

# One that hangs is replaced by the next, and ends when it wakes up.
signal STOP frontend
launch successor "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/frontend-3" --program-base "$BASE"
wait_for 20 "the successor to serve" serving
signal CONT frontend
ends frontend 1 'error .*(bound to|replaced|successor)'
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' order "DH1 3LE" "the second goes on"
stop successor 1

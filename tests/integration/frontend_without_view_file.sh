#!/bin/bash
# Rule 18: a front-end that lost its directory forms no new cluster. It re-forms the old one once all members of its
# last view have answered, and until then says which replicas it waits for; --new-cluster does not change that.
source "$(dirname "$0")/lib.sh"

form 3
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" precious
wait_for 10 "equal digests on all three" members_level 3
cluster=$(status_get .cluster)
kill9 frontend 3
rm "$SCRATCH/frontend/view.json"
mkfifo "$SCRATCH/frontend/view.json" # lost, and no file at all in its place
start_frontend --new-cluster
wait_for 20 "status to name replica 3" unavailable_says 'waiting for replicas? .*3'
start_replica 3
jh --timeout 30 status --wait 3 >/dev/null
status_is ".cluster == \"$cluster\"" || fail "another cluster: $(status_json)"
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' order "DH1 3LE" "after the take-over"
stop frontend 1 2 3

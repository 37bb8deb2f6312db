#!/bin/bash
# Rule 20: a second start beside a running replica or front-end changes nothing and names the running process, whatever
# a cleaner has removed: on the same directory, which is locked itself, and on another one under the same id.
source "$(dirname "$0")/lib.sh"

form 2
start_load load 30 8
orders_flow 20 "at the beginning"
rm "$(replica_dir 1)/lock" "$(replica_dir 2)/lock" "$SCRATCH/frontend/lock"
for id in 1 2; do
	launch "again-$id" "$JH_BUILD/server/justhungry-server" --id "$id" --data-dir "$(replica_dir "$id")" --program-base "$BASE"
	ends "again-$id" 1 'in use by another process'
done
launch again-frontend "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/frontend" --program-base "$BASE"
ends again-frontend 1 'is served at|in use'

# A copy made in the middle of a write: the second start must not even cut its tail.
copy=$SCRATCH/copy
cp -a "$(replica_dir 2)" "$copy"
cp -a "$copy" "$SCRATCH/kept"
launch other-directory "$JH_BUILD/server/justhungry-server" --id 2 --data-dir "$copy" --program-base "$BASE"
ends other-directory 1 "program $((BASE + 2)) is served at .*: choose another --program-base \(.*\) or --id;"
diff -r "$SCRATCH/kept" "$copy" || fail "a start that was refused changed its directory"
cp -a "$SCRATCH/frontend" "$SCRATCH/frontend-copy"
launch other-frontend "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/frontend-copy" --program-base "$BASE"
ends other-frontend 1 "program $BASE is served at .*: choose another --program-base \(4096 from any other cluster's\);"
diff -r "$SCRATCH/frontend" "$SCRATCH/frontend-copy" || fail "a front-end that was refused changed its directory"
orders_flow 20 "after all that"
finish load
wait_for 20 "equal digests on both" members_level 2
stop frontend 1 2

#!/bin/bash
# Rule 13: a replica that cannot make its next journal segment for another reason than space is not "full", and blocks
# no other: status names the reason while there is time to fix it; then that replica hands over, ends and says why, and
# the others continue. Alone it ends and says why. No acknowledged order is lost.
source "$(dirname "$0")/lib.sh"

SERVER_OPTIONS+=(--segment-bytes 8388608)
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it would need descriptors
# A directory has the name of the next segment.
block() { mkdir "$(replica_dir "$1")/journal-next" 2>/dev/null; }
unblock() { rmdir "$(replica_dir "$1")/journal-next"; }
row_says() { status_is ".replicas[] | select(.id == $1) | .state | test(\"$2\")"; }

# --- a backup
form 3
backup=$(a_backup)
block "$backup"
start_load load 60 4
many_big
wait_while_filling "status to name what can still be fixed" status_is \
	".summary | test(\"replica $backup cannot make its next journal segment: Is a directory\")"
wait_while_filling "replica $backup to end" dead "${PIDS[replica-$backup]}"
ends "$backup" 1 'stopping: cannot make the next journal segment in .*: Is a directory'
orders_flow 100 "without it"
row_says "$backup" 'ended: cannot make its next journal segment: Is a directory' || fail "status says: $(status_json)"
no_big
unblock "$backup"
start_replica "$backup"
wait_for 20 "it to come back" role_is "$backup" backup

# --- the primary, without a descriptor left
primary=$(primary)
many_big
wait_while_filling "a moment without a next segment" block "$primary"
prlimit --pid "${PIDS[replica-$primary]}" --nofile=3:1024
unblock "$primary"
wait_while_filling "replica $primary to end" dead "${PIDS[replica-$primary]}"
ends "$primary" 1 'stopping: cannot make the next journal segment in .*: Too many open files'
log_says frontend 'the primary stops: switchover to' || fail "it did not hand over"
orders_flow 100 "at another primary"
no_big
finish load

# --- alone
start_replica "$primary"
wait_for 20 "it to come back" role_is "$primary" backup
for id in 1 2 3; do
	((id == primary)) || kill9 "$id"
done
wait_for 10 "it to serve alone" status_is ".primary == $primary"
many_big
wait_while_filling "a moment without a next segment" block "$primary"
wait_while_filling "replica $primary to end" dead "${PIDS[replica-$primary]}"
ends "$primary" 1 'stopping: cannot make the next journal segment in .*: Is a directory'
no_big
unblock "$primary"
start_replica "$primary"
wait_for 20 "it to serve again" status_is ".primary == $primary"
audit load
stop frontend "$primary"

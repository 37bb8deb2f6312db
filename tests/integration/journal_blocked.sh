#!/bin/bash
# Rule 13: a replica that cannot make its next journal segment for another reason than space is not "full", and stops nobody
# else: status names the reason while there is time to mend it; then that replica hands over, ends and says why, and the
# others go on. Alone it ends and says why. No acknowledged order is lost.
source "$(dirname "$0")/lib.sh"

SERVER_OPTIONS+=(--segment-bytes 8388608)
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it would need descriptors
big=$(printf ' %s' $(for item in {1..32}; do head -c 128 /dev/zero | tr '\0' "${item: -1}"; echo; done))
start_big() { # NAME: orders of the largest size, one after the other
	# shellcheck disable=SC2016 # expanded by that shell
	launch "$1" "$BASH" -c 'until [[ -e $4 ]]; do yes "$1" | "$2" --program-base "$3" --timeout 10 shell; done' - \
		"order \"DH1 3LG\"$big" "$JH_BUILD/client/justhungry" "$BASE" "$SCRATCH/enough"
}
many_big() {
	local n
	rm -f "$SCRATCH/enough"
	for n in 1 2 3; do
		start_big "big-$n"
	done
}
no_big() {
	local n
	for n in 1 2 3; do
		touch "$SCRATCH/enough"
		pkill -KILL -P "${PIDS[big-$n]}" || true
		join "big-$n" 2>/dev/null
	done
}
# Whoever makes the next segment finds a directory of its name.
block() { mkdir "$(replica_dir "$1")/journal-next" 2>/dev/null; }
mend() { rmdir "$(replica_dir "$1")/journal-next"; }
row_says() { status_is ".replicas[] | select(.id == $1) | .state | test(\"$2\")"; }

# --- a backup
form 3
backup=$(a_backup)
block "$backup"
start_load load 60 4
many_big
wait_for 20 "status to name what can still be mended" status_is \
	".summary | test(\"replica $backup cannot make its next journal segment: Is a directory\")"
ends "$backup" 1 'stopping: cannot make the next journal segment in .*: Is a directory'
orders_flow 100 "without it"
row_says "$backup" 'ended: cannot make its next journal segment: Is a directory' || fail "status says: $(status_json)"
no_big
mend "$backup"
start_replica "$backup"
wait_for 20 "it to come back" role_is "$backup" backup

# --- the primary, without a descriptor left
primary=$(primary)
many_big
wait_for 20 "a moment without a next segment" block "$primary"
prlimit --pid "${PIDS[replica-$primary]}" --nofile=3:1024
mend "$primary"
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
wait_for 20 "a moment without a next segment" block "$primary"
ends "$primary" 1 'stopping: cannot make the next journal segment in .*: Is a directory'
no_big
mend "$primary"
start_replica "$primary"
wait_for 20 "it to serve again" status_is ".primary == $primary"
audit load
stop frontend "$primary"

#!/bin/bash
# A container whose process 1 never waits: replicas killed again and again leave no more than one jh-memory each, which
# the kernel gives to process 1 alone. And where process 1 does wait, each replica has its jh-memory again.
source "$(dirname "$0")/lib.sh"

needs_own_host

# In a container of its own, `sleep` being its process 1; who is started there is this test's child and waited for.
unshare --pid --fork --kill-child --mount --mount-proc sleep infinity &
PIDS[container]=$!
process_1() { PROCESS_1=$(pgrep -P "${PIDS[container]}") && [[ $(<"/proc/$PROCESS_1/comm") == sleep ]]; }
wait_for 10 "the container" process_1
inside() { nsenter --pid --mount -t "$PROCESS_1" "$@"; }

left() { inside ps -e -o stat=,comm= | grep -c '^Z.*jh-memory' || true; }
holders() { inside ps -e -o stat=,comm= | grep -c '^[^Z].*jh-memory' || true; }
left_is() { (($(left) == $1)); }
holders_are() { (($(holders) == $1)); }
replica_inside() { # its pid in REPLICA: nsenter forks
	launch replica-1 nsenter --pid --mount -t "$PROCESS_1" "$JH_BUILD/server/justhungry-server" --id 1 --data-dir "$(replica_dir 1)" \
		--program-base "$BASE" "${SERVER_OPTIONS[@]}"
	readies=$((readies + 1))
	wait_for 20 "replica 1 to be ready" is_ready_again
}
readies=0
is_ready_again() { (($(grep -c '^ready' "$LOGS/replica-1.log" || true) == readies)); }
kill_inside() {
	kill -KILL "$(pgrep -P "${PIDS[replica-1]}")"
	join 1 2>/dev/null
}

replica_inside
wait_for 10 "a jh-memory" holders_are 1
kill_inside
wait_for 10 "it to be left behind" left_is 1
for _ in 1 2 3; do
	replica_inside
	kill_inside
	wait_for 10 "no other process to hold memory" holders_are 0
	left_is 1 || fail "$(left) jh-memory are left behind"
done

# This test's own process 1 is a shell, which waits.
start_replica 2
wait_for 10 "replica 2's jh-memory" pgrep -P "${PIDS[replica-2]}" -x jh-memory >/dev/null
holder=$(pgrep -P "${PIDS[replica-2]}" -x jh-memory)
kill -KILL "$holder"
another() { local now; now=$(pgrep -P "${PIDS[replica-2]}" -x jh-memory) && [[ $now != "$holder" ]]; }
wait_for 20 "another in the place of one that was killed" another
kill9 2
gone() { ! pgrep -x jh-memory -P 1 >/dev/null; }
wait_for 20 "its end" gone

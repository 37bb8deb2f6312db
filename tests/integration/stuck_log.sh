#!/bin/bash
# No process reads the daemons' output: standard output and standard error are a pipe that is full, a full file, a pipe
# whose reader is gone. They start, serve, fail over, and end in order when they are told to.
source "$(dirname "$0")/lib.sh"

mkfifo "$SCRATCH/stuck"
exec 8<>"$SCRATCH/stuck" 7> >(exec true) 6>/dev/full # a reader that never reads, one that is gone soon, no room
dd if=/dev/zero of="$SCRATCH/stuck" bs=4096 oflag=nonblock 2>/dev/null || true # and nothing more goes in

# said_into DESCRIPTOR NAME COMMAND...
said_into() {
	local name=$2
	"${@:3}" >&"$1" 2>&1 6>&- 7>&- 8>&- &
	PIDS[$name]=$!
}

replica_into() { # DESCRIPTOR ID
	said_into "$1" "replica-$2" "$JH_BUILD/server/justhungry-server" --id "$2" --data-dir "$(replica_dir "$2")" \
		--program-base "$BASE" --log-level debug "${SERVER_OPTIONS[@]}"
}

replica_into 8 1
replica_into 7 2
replica_into 6 3
said_into 8 frontend "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/frontend" \
	--program-base "$BASE" --new-cluster --log-level debug
jh --timeout 30 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
start_load load 30 16

# More lines than a pipe and a queue hold together.
for _ in {1..1500}; do
	kill -USR1 "${PIDS[replica-1]}" "${PIDS[frontend]}"
	kill -USR2 "${PIDS[replica-1]}" "${PIDS[frontend]}"
done
orders_flow 200 "after many unread lines"
victim=$(primary)
kill9 "$victim"
orders_flow 200 "after a failover"
replica_into 8 "$victim"
wait_for 30 "replica $victim to be a member again" status_is '[.replicas[] | select(.role == "primary" or .role == "backup")] | length == 3'
finish load
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3

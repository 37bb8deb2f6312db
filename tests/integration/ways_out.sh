#!/bin/bash
# Every way to end a client prints the truth and has a documented exit status: each signal, at each moment; standard
# output that cannot be written; rejections of the other side; and, whatever is silent, no later than --timeout.
source "$(dirname "$0")/lib.sh"
needs_own_host

form 1

# client STATUS PATTERN: the client that was launched in the background has ended so.
began() { # COMMAND...: in the background
	: >"$LOGS/client.out"
	: >"$LOGS/client.err"
	"$JH_BUILD/client/justhungry" --program-base "$BASE" "$@" <&0 >"$LOGS/client.out" 2>"$LOGS/client.err" &
	PIDS[client]=$!
}
ended() { # STATUS PATTERN
	wait_for 5 "the client to end" dead "${PIDS[client]}"
	join client
	[[ $STATUS == "$1" ]] || fail "status $STATUS, not $1: $(cat "$LOGS"/client.{out,err})"
	grep -q -E -- "$2" "$LOGS"/client.{out,err} || fail "does not say '$2': $(cat "$LOGS"/client.{out,err})"
}
catches() { # SIGNUM: the client is no shell any more, and has its handlers
	local caught
	[[ $(cat "/proc/${PIDS[client]}/comm") == justhungry ]] || return 1
	caught=$(awk '/^SigCgt/ { print $2 }' "/proc/${PIDS[client]}/status")
	(((16#$caught >> ($1 - 1)) & 1))
}
orders_wait() { status_is '.queued >= '"$1"; }
asks_again() { # runs the command that was printed
	local command
	command=$(grep -o -E -- 'justhungry order .*--client-id .*' "$LOGS/client.err") || fail "no command asks again"
	eval "\"\$JH_BUILD/client/\"$command"
}

# --- signals: an order under way ------------------------------------------------------------------------------------

signal STOP 1
waiting=0
for name in TERM HUP INT QUIT ALRM USR1 USR2 XCPU PROF VTALRM IO PWR RTMIN RTMAX; do
	began --timeout 60 order --customer "$name" "DH1 3LE" "a $name pizza"
	waiting=$((waiting + 1))
	wait_for 10 "the order to be under way" orders_wait "$waiting"
	kill "-$name" "${PIDS[client]}"
	ended 5 "outcome unknown: ended by (SIG${name/IO/POLL}|signal [0-9]+) "
	cp "$LOGS/client.err" "$SCRATCH/$name.again"
done
began --timeout 60 --json order "DH1 3LE" "json"
wait_for 10 "the order to be under way" orders_wait $((waiting + 1))
kill -TERM "${PIDS[client]}"
ended 5 '"outcome": "unknown".*"ask_again": "justhungry'
# A fault of the program itself, as far as it can still speak.
began --timeout 60 order --customer abort "DH1 3LE" "an abort"
wait_for 10 "the order to be under way" orders_wait $((waiting + 2))
kill -ABRT "${PIDS[client]}"
ended 134 'outcome unknown: this program ends'
cp "$LOGS/client.err" "$SCRATCH/ABRT.again"
printf 'DH1 3LG\tone\nDH1 3LG\ttwo\n' >"$SCRATCH/orders"
began --timeout 60 order --file "$SCRATCH/orders"
wait_for 10 "the order to be under way" orders_wait $((waiting + 3))
kill -TERM "${PIDS[client]}"
ended 5 'No order of the file is placed'
grep -A 1 'goes on with the file' "$LOGS/client.err" | tail -n 1 >"$SCRATCH/file.again"
began --timeout 60 cancel --client-id 123e4567-e89b-42d3-a456-426614174000 --request 1
wait_for 10 "the cancellation to be under way" orders_wait $((waiting + 4))
kill -TERM "${PIDS[client]}"
ended 5 '^  justhungry cancel .*--client-id 123e4567-e89b-42d3-a456-426614174000 --request 1$'
signal CONT 1
wait_for 20 "the replica to serve again" serving
for name in TERM RTMAX ABRT; do
	cp "$SCRATCH/$name.again" "$LOGS/client.err"
	PATH=$JH_BUILD/client:$PATH asks_again | grep -q 'placed' || fail "$name: asking again does not place it"
done
PATH=$JH_BUILD/client:$PATH eval "$(cat "$SCRATCH/file.again")" >/dev/null || fail "the file does not go on"
try --json history --limit 0 "DH1 3LE"
jq -e '[.orders[] | .customer] | (map(select(. == "TERM")) | length == 1) and (map(select(. == "ABRT")) | length <= 1)' \
	<<<"$OUT" >/dev/null || fail "not once each: $OUT"
expect 0 'DH1 3LG: [0-9]+ order' history "DH1 3LG"

# --- signals: other commands ----------------------------------------------------------------------------------------

began status --watch
wait_for 10 "a status" grep -q primary "$LOGS/client.out"
kill -TERM "${PIDS[client]}"
ended 0 'primary 1'
began --timeout 60 status --wait 2
wait_for 10 "its handlers" catches 15
kill -TERM "${PIDS[client]}"
ended 4 'ended by SIGTERM'
began bench --yes --clients 4 --seconds 60
wait_for 10 "orders" op_reached 40
kill -TERM "${PIDS[client]}"
ended 0 'ended by SIGTERM: the figures are of what was asked until then'
mkfifo "$SCRATCH/lines"
began order --file "$SCRATCH/lines"
exec 7>"$SCRATCH/lines"
printf 'DH1 3LG\tfrom a pipe\n' >&7
wait_for 10 "the order of the pipe" grep -q placed "$LOGS/client.out"
kill -HUP "${PIDS[client]}"
ended 4 'ended by SIGHUP: line 2 was not read'
grep -q 'One order of the file is placed' "$LOGS/client.err" || fail "what is placed: $(cat "$LOGS/client.err")"
grep -q -- '--client-id .* --request 1 --file' "$LOGS/client.err" || fail "how to go on: $(cat "$LOGS/client.err")"
exec 7>&-
# nohup
(trap '' HUP; exec "$JH_BUILD/client/justhungry" --program-base "$BASE" status --watch >"$LOGS/client.out" 2>&1) &
PIDS[client]=$!
wait_for 10 "a status" grep -q primary "$LOGS/client.out"
kill -HUP "${PIDS[client]}"
! dead "${PIDS[client]}" || fail "an ignored SIGHUP ended it"
kill -TERM "${PIDS[client]}"
ended 0 'primary 1'
signal STOP 1
before=$(($(status_get .queued) + 1))
exec 7<>"$SCRATCH/lines"
printf '%s\n' 'order "DH1 3LE" "in a shell"' status >&7
began shell <&7
wait_for 10 "the order to be under way" orders_wait "$before"
kill -TERM "${PIDS[client]}"
ended 5 'outcome unknown: ended by SIGTERM'
exec 7>&-
signal CONT 1
wait_for 20 "the replica to serve again" serving

# --- standard output that cannot be written --------------------------------------------------------------------------

unwritten() { # STATUS PATTERN COMMAND...: to a full disk, to nothing, and to a reader that is gone
	local status=$1 pattern=$2 got
	shift 2
	for way in full closed gone; do
		got=0
		case $way in
		full) "$@" >/dev/full 2>"$LOGS/unwritten" || got=$? ;;
		closed) "$@" >&- 2>"$LOGS/unwritten" || got=$? ;;
		gone) got=$( (set +o pipefail; trap '' PIPE; { sleep 0; "$@" 2>"$LOGS/unwritten"; echo $? >&9; } | exec true) 9>&1) ;;
		esac
		# A pipe may be read a moment longer than its reader runs.
		[[ $way == gone && $got == "${status_of_done:-0}" ]] && continue
		[[ $got == "$status" ]] || fail "$way: $*: status $got, not $status: $(cat "$LOGS/unwritten")"
		case $way in
		full) grep -q 'No space left' "$LOGS/unwritten" ;;
		closed) grep -q 'Bad file descriptor' "$LOGS/unwritten" ;;
		gone) grep -q 'Broken pipe' "$LOGS/unwritten" ;;
		esac || fail "$way: $*: the wrong reason: $(cat "$LOGS/unwritten")"
		grep -q -E -- "$pattern" "$LOGS/unwritten" || fail "$way: $*: does not say '$pattern': $(cat "$LOGS/unwritten")"
	done
}
client=("$JH_BUILD/client/justhungry" --program-base "$BASE")
unwritten 6 'order [0-9]+ \(#[0-9]+ for DH1 3LE\) is placed \(client .*, request 1\), but the answer could not be' \
	"${client[@]}" order "DH1 3LE" unseen
unwritten 6 'order [0-9]+ \(#[0-9]+ for DH1 3LE\) is placed' "${client[@]}" --json order "DH1 3LE" unseen
unwritten 6 'One order of the file is placed' "${client[@]}" order --file "$SCRATCH/orders"
unwritten 6 'the answer could not be written' "${client[@]}" history "DH1 3LE"
unwritten 6 'the answer could not be written' "${client[@]}" --json history --limit 0 "DH1 3LE"
unwritten 6 'the answer could not be written' "${client[@]}" status
unwritten 6 'the answer could not be written' "${client[@]}" status --watch
unwritten 6 'the answer could not be written' "${client[@]}" bench --yes --clients 2 --seconds 0.1
unwritten 6 'the answer could not be written' "${client[@]}" --help
unwritten 6 'the answer could not be written' "${client[@]}" --version
unwritten 6 'the answer could not be written' "${client[@]}" order --help
unwritten 6 'the answer could not be written' "$JH_BUILD/server/justhungry-server" --help
unwritten 6 'the answer could not be written' "$JH_BUILD/frontend/justhungry-frontend" --version
status_of_done=3 unwritten 3 'invalid postcode' "${client[@]}" --json order "NOT A POSTCODE" x
expect 6 '[0-9]+ orders were acknowledged and are placed, but /dev/full lacks' bench --yes --clients 4 --seconds 60 --log /dev/full
# The front-end has the order and does not answer. (Of a replica that does not, it may know before the order comes: then it holds
# it, and nothing happened.)
signal STOP frontend
got=0
"${client[@]}" --timeout 3 --json order "DH1 3LE" unknown >/dev/full 2>"$LOGS/unwritten" || got=$?
[[ $got == 5 ]] || fail "an unknown order that cannot be printed: status $got"
grep -q -- '--client-id' "$LOGS/unwritten" || fail "the command that asks again is missing: $(cat "$LOGS/unwritten")"
signal CONT frontend
wait_for 20 "the replica to serve again" serving
# A reader that does not read: a signal ends the wait, and the order stays placed.
mkfifo "$SCRATCH/unread"
exec 8<>"$SCRATCH/unread"
timeout 1 dd if=/dev/zero of="$SCRATCH/unread" bs=4096 2>/dev/null || true
"${client[@]}" order "DH1 3LE" "for nobody" >"$SCRATCH/unread" 2>"$LOGS/client.err" &
PIDS[client]=$!
: >"$LOGS/client.out"
an_unread_order() { jh --json history --limit 1 "DH1 3LE" | jq -e '.orders[0].items == ["for nobody"]' >/dev/null; }
wait_for 10 "the order" an_unread_order
kill -TERM "${PIDS[client]}"
ended 6 'is placed .*but the answer could not be written to standard output: Interrupted'
exec 8>&-
stop 1
unwritten 6 'the answer could not be written' "$JH_BUILD/server/justhungry-server" --check "$(replica_dir 1)"
start_replica 1
wait_for 20 "the replica to serve again" serving

# --- rejections -----------------------------------------------------------------------------------------------------

rejected() { # WAY STATUS PATTERN [OPTION...]
	local way=$1 status=$2 pattern=$3 address
	: >"$LOGS/peer.out"
	"$JH_BUILD/tests/integration/rejecting_peer" "$way" >"$LOGS/peer.out" &
	PIDS[peer]=$!
	wait_for 10 "the rejecting peer" test -s "$LOGS/peer.out"
	address=$(cat "$LOGS/peer.out")
	expect "$status" "$pattern" --frontend "$address" --timeout 0.5 order "DH1 3LE" rejected
	rejection=$ERR
	expect '[45]' . --frontend "$address" --timeout 0.5 switchover
	[[ $STATUS == "$status" ]] || fail "$way: switchover ends with $STATUS, order with $status"
	expect 4 . --frontend "$address" --timeout 0.5 history "DH1 3LE"
	expect 5 . --frontend "$address" --timeout 0.2 order --client-id 00000000-0000-4000-8000-000000000001 --request 9 \
		"DH1 3LE" rejected
	kill9 peer
}
for way in prog_mismatch proc_unavail garbage_args rpc_mismatch auth_error; do
	rejected "$way" 4 'rejects the call and executed nothing'
done
rejected prog_unavail 4 'is not the front-end of program'
rejected system_err 5 'outcome unknown'
rejected hang_up 5 'outcome unknown'
rejected silent 5 'outcome unknown'

# --- silence --------------------------------------------------------------------------------------------------------

in_time() { # MILLISECONDS COMMAND...
	local limit=$1 before=${EPOCHREALTIME/./} took
	shift
	"$@"
	took=$(((${EPOCHREALTIME/./} - before) / 1000))
	((took <= limit)) || fail "$*: took $took ms"
}
signal STOP rpcbind
for command in 'order "DH1 3LE" x' 'history "DH1 3LE"' status 'status --wait 1' switchover 'bench --clients 1 --seconds 1'; do
	eval "in_time 1200 expect 4 . --timeout 0.5 $command" # and what a loaded machine needs to start a program
	eval "began --timeout 60 $command"
	wait_for 10 "its handlers" catches 15
	kill -TERM "${PIDS[client]}"
	in_time 700 ended 4 'ended by SIGTERM'
	# It did not wait long enough to suspect any process.
	! grep 'in time' "$LOGS/client.err" || fail "$command: ended by a signal, it blames rpcbind"
	[[ $command != order* ]] || grep -q 'nothing was sent' "$LOGS/client.err" || fail "order: $(cat "$LOGS/client.err")"
done
signal CONT rpcbind
signal STOP frontend
in_time 1200 expect 5 'outcome unknown' --timeout 0.5 order "DH1 3LE" x
in_time 1200 expect 4 . --timeout 0.5 history "DH1 3LE"
signal CONT frontend
wait_for 20 "the cluster to serve" serving
stop frontend 1

#!/bin/bash
# Whatever a program inherits, it works or ends with one line that says what is missing: never "this is a bug", never a
# crash, never silence for good. Closed descriptors, blocked and ignored signals, and limits: descriptors, processes,
# size of files, address space.
source "$(dirname "$0")/lib.sh"

needs_own_host
readonly SERVER=$JH_BUILD/server/justhungry-server FRONTEND=$JH_BUILD/frontend/justhungry-frontend
readonly CLIENT=$JH_BUILD/client/justhungry
readonly SUBSETS=("" "0" "1" "2" "0 1" "0 2" "1 2" "0 1 2")
readonly AT_ONCE=8

# closing "FD..." COMMAND...: runs COMMAND with these descriptors closed.
closing() {
	local closed=$1 fd
	shift
	for fd in $closed; do
		eval "exec $fd>&-"
	done
	exec "$@"
}

# --- a cluster of replicas that were all started badly ---------------------------------------------------------------

# Each subset of the descriptors 0 to 2 closed; all signals blocked; all ignored. What a replica logs with 1 closed or
# with 2 must never land in a file or in a pipe of its own.
id=0
for subset in "${SUBSETS[@]}"; do
	id=$((id + 1))
	launch "replica-$id" "$BASH" -c "$(declare -f closing); closing \"\$@\"" - "$subset" "$SERVER" --id "$id" \
		--data-dir "$(replica_dir "$id")" --program-base "$BASE" "${SERVER_OPTIONS[@]}"
done
for how in --block-signal --ignore-signal; do
	id=$((id + 1))
	launch "replica-$id" env "$how" "$SERVER" --id "$id" --data-dir "$(replica_dir "$id")" --program-base "$BASE" \
		"${SERVER_OPTIONS[@]}"
done
readonly REPLICAS=$id
launch frontend "$BASH" -c "$(declare -f closing); closing \"\$@\"" - "0 1 2" env --block-signal "$FRONTEND" \
	--data-dir "$SCRATCH/frontend" --program-base "$BASE" --new-cluster
jh --timeout 60 status --wait "$REPLICAS" >/dev/null || fail "no cluster: $(status_json)"

for subset in "${SUBSETS[@]}"; do
	for command in "order DH13LE soup" "history DH13LE" status "bench --yes --clients 2 --seconds 0.1"; do
		STATUS=0
		# shellcheck disable=SC2086 # words
		(closing "$subset" env --block-signal "$CLIENT" --program-base "$BASE" $command) >"$SCRATCH/out" 2>"$LOGS/closed-client.log" ||
			STATUS=$?
		if [[ $subset == *1* ]]; then
			((STATUS > 0 && STATUS < 128)) || fail "'$command' with '$subset' closed ended with status $STATUS"
		else
			((STATUS == 0)) || fail "'$command' with '$subset' closed ended with status $STATUS: $(<"$LOGS/closed-client.log")"
		fi
	done
done
wait_for 20 "equal digests on all" members_level "$REPLICAS"
status_is '([.replicas[].orders] | unique) == [.replicas[0].orders] and .replicas[0].orders >= 8' ||
	fail "orders are missing: $(status_json)"

# Their files hold their data and none of their messages.
! grep -r -l -E 'ready id=|Z (info|warn|error) ' "$SCRATCH"/replica-* "$SCRATCH/frontend" || fail "a log line landed in a file"

# Signals without a meaning end no daemon, each is logged, and jh-memory ignores all.
for number in HUP USR1 USR2 ALRM VTALRM PROF IO PWR STKFLT RTMIN RTMAX; do
	for id in 1 9 10; do
		signal "$number" "$id"
	done
	signal "$number" frontend
done
for id in 1 9 10; do
	wait_for 10 "replica $id to speak of SIGHUP" log_says "replica-$id" 'SIGHUP is ignored'
	wait_for 10 "replica $id to speak of SIGUSR2" log_says "replica-$id" 'signal 12 .*is ignored'
done
expect 0 'Order [0-9]+ \(#' order "DH1 3LE" soup
wait_for 20 "equal digests on all, after signals" members_level "$REPLICAS"
stop $(seq 2 "$((REPLICAS - 1))")

# A signal that stops, sent as early as can be, stops in order or at once, but never leaves one running.
began() { [[ $(readlink "/proc/$1/exe") == "$JH_BUILD"/* ]]; }
for name in replica-2 early; do
	if [[ $name == early ]]; then
		launch early "$FRONTEND" --data-dir "$SCRATCH/early" --program-base $((BASE + 5000))
	else
		start_replica 2
	fi
	wait_for 20 "$name to begin" began "${PIDS[$name]}"
	kill -TERM "${PIDS[$name]}"
	wait_for 20 "$name to stop while it starts" dead "${PIDS[$name]}"
	wait "${PIDS[$name]}" || [[ $? == 143 ]] || fail "$name ended badly"
	unset "PIDS[$name]"
done

# --- limits ---------------------------------------------------------------------------------------------------------

export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it would need a process of its own
chmod 711 "$SCRATCH"
mkdir -m 777 "$SCRATCH/limits"

written() { ! fuser -s "$1.out" "$1.err" 2>/dev/null; }

# limited NUMBER SCRIPT PROGRAM ARGUMENT...: runs PROGRAM after SCRIPT (which sets a limit) and demands that it works or
# says in one line why not. A daemon works when it is ready, and ends then when it is told to.
limited() {
	local out=$SCRATCH/limits/$1 script=$2 pid status=0 lines
	# Through pipes: a limit on files is not for what is said.
	# A user of its own: what others run counts too.
	setpriv --reuid $((50000 + $1)) --regid 50000 --clear-groups "$BASH" -c "$script"$'\nexec "$@"' - "${@:3}" > >(cat >"$out.out") 2> >(cat >"$out.err") &
	pid=$!
	shift 2
	if [[ $1 != *justhungry ]]; then
		until grep -q -s '^ready' "$out.out" || dead "$pid"; do
			sleep 0.05
		done
		kill -TERM "$pid" 2>/dev/null || true
	fi
	wait "$pid" 2>/dev/null || status=$?
	wait_for 10 "its output" written "$out"
	lines=$(grep -c -v -E 'Z (info|warn) ' "$out.err") || true
	if grep -q '^ready' "$out.out" && ((status == 0)); then
		return 0 # a daemon that works
	elif [[ $1 == *justhungry ]] && ((status == 0)); then
		return 0
	elif ((status > 0 && status < 128 && lines == 1)) && ! grep -q -i -E 'bug|invariant|sanitizer' "$out.err"; then
		return 0
	fi
	{
		echo "FAILED: status $status: ($script) $*"
		cat "$out.err"
	} >>"$SCRATCH/limits/failed"
}

# as_limited SCRIPT: each program under it.
NUMBER=0
LIMITED=()
as_limited() {
	local number
	for program in "$SERVER" "$FRONTEND" "$CLIENT"; do
		NUMBER=$((NUMBER + 1)) number=$NUMBER
		case $program in
		"$SERVER")
			limited "$number" "$1" "$program" --id 1 --data-dir "$SCRATCH/limits/$number.data" --program-base $((BASE + 10000 * number)) \
				--postcode-check grammar &
			;;
		"$FRONTEND")
			limited "$number" "$1" "$program" --data-dir "$SCRATCH/limits/$number.data" --program-base $((BASE + 10000 * number)) &
			;;
		*) limited "$number" "$1" "$program" --program-base "$BASE" order DH13LE soup & ;;
		esac
		LIMITED+=($!)
		while (($(jobs -rp | wc -l) > AT_ONCE)); do
			sleep 0.02
		done
	done
}
for descriptors in 3 4 5 6 7 8 9 10 11 12 14 16 24 32 63 64; do
	as_limited "ulimit -n $descriptors"
done
for processes in {1..16}; do
	as_limited "ulimit -u $processes"
done
for file in 0 1 8 100 8192 65536; do
	as_limited "ulimit -f $file"
done
for stack in 128 512 1024 unlimited; do
	as_limited "ulimit -s $stack"
done
# A sanitizer needs terabytes of addresses.
if [[ $(ldd "$SERVER") != *lib[at]san* ]]; then
	for kilobytes in 10000 20000 30000 50000 80000 100000 150000 200000 400000 1000000; do
		as_limited "ulimit -v $kilobytes"
	done
	for kilobytes in 10000 20000 30000 100000 300000; do
		as_limited "ulimit -d $kilobytes"
	done
fi
wait "${LIMITED[@]}"
stop frontend 1 "$REPLICAS"
[[ ! -e $SCRATCH/limits/failed ]] || fail "$(<"$SCRATCH/limits/failed")"

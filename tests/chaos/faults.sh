# shellcheck shell=bash
# Faults of processes. Each function injects one fault and heals it; run.sh then waits until everything has recovered.
# `mark` is called right before the fault: the orders of the second before it count. Sourced by run.sh.
#
# None may take away the only copy: at least two members keep their disks whole through each of them.

FAULTS+=(kill_primary kill_backup kill_frontend kill_all stop_primary stop_backup stop_frontend stop_all switchover
	restart_primary restart_backup restart_frontend wipe_primary wipe_backup join_and_leave
	stuck_log_primary stuck_log_backup stuck_log_frontend)
[[ -z ${JH_OWN_HOST:-} ]] || FAULTS+=(kill_rpcbind)

# Once more `steady`, when that is long ago: a machine that stood still meanwhile served nothing in that second.
mark() {
	now_us
	if ((NOW > STEADY_AT + 400000)); then
		steady
		now_us
	fi
	AT=$NOW
}

# draw N: DRAWN is 0 .. N - 1. No subshell: the sequence belongs to this one.
draw() { DRAWN=$(((RANDOM * 32768 + RANDOM) % $1)); }

# A drawn pause of up to that many milliseconds: faults differ in nothing but time.
linger() {
	draw "$1"
	sleep "$((DRAWN / 1000)).$(printf %03d $((DRAWN % 1000)))"
}

# The replica in a role, as VICTIM: empty when there is none.
pick_primary() {
	VICTIM=$(primary)
	((VICTIM > 0))
}
pick_backup() {
	local backups
	mapfile -t backups < <(status_get '.replicas[] | select(.role == "backup") | .id')
	((${#backups[@]} > 0)) || return 1
	draw ${#backups[@]}
	VICTIM=${backups[DRAWN]}
}
pick_member() {
	draw 2
	if ((DRAWN == 0)); then pick_primary; else pick_backup; fi
}

kill_and_start() {
	mark
	kill9 "$VICTIM"
	linger 500
	up "$VICTIM"
}
fault_kill_primary() { pick_primary && kill_and_start; }
fault_kill_backup() { pick_backup && kill_and_start; }

fault_kill_frontend() {
	mark
	kill9 frontend
	linger 300
	up_frontend
}

fault_kill_all() {
	local id
	mark
	kill9 frontend "${REPLICAS[@]}"
	linger 300
	draw 2
	((DRAWN == 0)) || up_frontend
	for id in "${REPLICAS[@]}"; do
		up "$id"
		linger 200
	done
	((DRAWN == 0)) || true
	[[ -n ${PIDS[frontend]:-} ]] || up_frontend
}

# Long enough to be replaced, or too short to be noticed.
stop_and_go() { # NAME
	mark
	signal STOP "$1"
	linger 1500
	signal CONT "$1"
}
fault_stop_primary() { pick_primary && stop_and_go "$VICTIM"; }
fault_stop_backup() { pick_backup && stop_and_go "$VICTIM"; }
fault_stop_frontend() { stop_and_go frontend; }

# All that they missed comes at once.
fault_stop_all() {
	local name
	mark
	for name in frontend "${REPLICAS[@]}"; do
		signal STOP "$name"
	done
	linger 1500
	for name in "${REPLICAS[@]}" frontend; do
		signal CONT "$name"
		linger 100
	done
}

fault_switchover() {
	pick_backup || return 1
	mark
	try switchover "$VICTIM"
	((STATUS == 0)) || fail "switchover: $OUT $ERR"
}

restart() {
	mark
	stop "$1"
	linger 300
}
fault_restart_primary() { pick_primary && restart "$VICTIM" && up "$VICTIM"; }
fault_restart_backup() { pick_backup && restart "$VICTIM" && up "$VICTIM"; }
fault_restart_frontend() { restart frontend && up_frontend; }

empty_directory() { find "$1" -mindepth 1 -delete; } # itself it may be mounted
wipe() {
	mark
	kill9 "$VICTIM"
	empty_directory "$(replica_dir "$VICTIM")"
	up "$VICTIM"
}
fault_wipe_primary() { pick_primary && wipe; }
fault_wipe_backup() { pick_backup && wipe; }

# Started again, and the reader of its log is stopped for a while: more lines than pipe and queue hold.
STUCK_LOGS=0
stuck_log() { # NAME
	local name fifo reader
	name=$(name_of "$1")
	STUCK_LOGS=$((STUCK_LOGS + 1)) fifo=$SCRATCH/log-$STUCK_LOGS
	mkfifo "$fifo"
	cat "$fifo" >>"$LOGS/$name.log" & # until the writer ends
	reader=$!
	PIDS[log-$STUCK_LOGS]=$reader
	restart "$1"
	OUTPUT=$fifo
	if [[ $1 == frontend ]]; then up_frontend; else up "$1"; fi
	OUTPUT=
	wait_for 20 "$name to speak" log_grows "$name"
	kill -STOP "$reader"
	for _ in {1..1000}; do
		kill -USR1 "${PIDS[$name]}"
		kill -USR2 "${PIDS[$name]}"
	done
	linger 1500
	kill -CONT "$reader"
}
log_grows() { # NAME: since it was asked first
	local size
	size=$(stat -c %s "$LOGS/$1.log")
	[[ ${LOG_SIZE:=$size} != "$size" ]] && LOG_SIZE=
}
fault_stuck_log_primary() { pick_primary && stuck_log "$VICTIM"; }
fault_stuck_log_backup() { pick_backup && stuck_log "$VICTIM"; }
fault_stuck_log_frontend() { stuck_log frontend; }

four_members() { status_is '[.replicas[] | select(.role == "primary" or .role == "backup")] | length == 4'; }
fault_join_and_leave() {
	mark
	draw 2
	((DRAWN == 0)) || rm -rf "$(replica_dir 4)"
	up 4
	wait_for 60 "a fourth member" four_members
	draw 2
	if ((DRAWN == 0)); then kill9 4; else stop 4; fi
}

fault_kill_rpcbind() {
	local hosts=("${!HOSTS[@]}")
	draw ${#hosts[@]}
	VICTIM=${hosts[DRAWN]}
	mark
	kill9 "rpcbind-$VICTIM"
	linger 500
	host_rpcbind "$VICTIM"
}

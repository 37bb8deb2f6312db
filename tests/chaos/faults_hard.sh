# shellcheck shell=bash
# Cases that are known to be hard, each a fault of its own; ctest runs each alone, too. As in faults.sh: one harm,
# healed. Sourced by run.sh after faults_net.sh.

[[ -z $PRELOAD_LIBRARY ]] || FAULTS+=(dies_before_acknowledging all_die_before_acknowledging frontend_dies_with_view)
[[ -z ${JH_OWN_HOST:-} ]] || FAULTS+=(two_frontends copied_directory same_id)
[[ -z ${NETWORK_FAULTS:-} ]] || FAULTS+=(push_to_one_backup admission_answer_lost)

# Its fsync has returned, and no other process knows.
fault_dies_before_acknowledging() { pick_member && dies_of d; }
fault_all_die_before_acknowledging() { all_die_of d; }

# It stored a view and installed it nowhere. The death of the primary makes it make one.
fault_frontend_dies_with_view() {
	pick_primary || return 1
	mark
	tell_shim 9 D
	kill9 "$VICTIM"
	wait_for 20 "the front-end to store a view" dead "${PIDS[frontend]}"
	join frontend 2>/dev/null
	up "$VICTIM"
	up_frontend
}

# What the primary sends last reaches one of two backups; then it dies.
fault_push_to_one_backup() {
	local backup
	pick_backup || return 1
	backup=$VICTIM
	pick_primary || return 1
	mark
	filter "$backup" ip saddr "10.0.0.$VICTIM" drop
	linger 100
	kill9 "$VICTIM"
	heal
	up "$VICTIM"
}

# The primary asks for a learner's admission, and the answers do not come for a while.
fault_admission_answer_lost() {
	local primary
	pick_primary || return 1
	primary=$VICTIM
	pick_backup || return 1
	mark
	kill9 "$VICTIM"
	empty_directory "$(replica_dir "$VICTIM")"
	up "$VICTIM"
	linger 100
	filter "$primary" ip saddr 10.0.0.9 drop
	linger 400
	heal
}

a_frontend_ended() { dead "${PIDS[frontend]}" || dead "${PIDS[second]}"; }

# The second, on another host and with nothing, takes over (rule 20), and the first ends. One with nothing takes over on
# the first's host, the only one that the clients ask.
fault_two_frontends() {
	mark
	local meant=()
	rm -rf "$SCRATCH/second"
	draw 2
	((DRAWN == 0)) || meant=(--take-over) # by mistake it is the second one that gives way
	HOST_OF[second]=${HOSTS[4]}
	launch second "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/second" --program-base "$BASE" \
		--listen 10.0.0.4 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4 "${meant[@]}"
	wait_for 30 "one of two front-ends to give way" a_frontend_ended
	kill -KILL "${PIDS[second]}" 2>/dev/null || true
	join second 2>/dev/null
	dead "${PIDS[frontend]}" || return 0
	join frontend 2>/dev/null
	rm -rf "$SCRATCH/frontend" # "its directory is not to be used again"
	up_frontend
}

# On host 4, with the same id as a running replica: it must not be taken for that one.
impostor() { # DIR
	local impostor=4$VICTIM
	HOST_OF[replica-$impostor]=${HOSTS[4]}
	launch "replica-$impostor" "$JH_BUILD/server/justhungry-server" --id "$VICTIM" --data-dir "$1" \
		--program-base "$BASE" --postcode-check grammar --segment-bytes "$SEGMENT_BYTES" --listen 10.0.0.4 \
		--frontend "$FRONTEND_HOST"
	linger 3000
	kill -KILL "${PIDS[replica-$impostor]}" 2>/dev/null || true
	join "$impostor" 2>/dev/null
	rm -rf "$1"
}
fault_same_id() {
	pick_member || return 1
	mark
	impostor "$SCRATCH/impostor"
}
fault_copied_directory() {
	pick_backup || return 1
	stop "$VICTIM"
	cp -a "$(replica_dir "$VICTIM")" "$SCRATCH/impostor"
	rm -f "$SCRATCH/impostor/lock"
	up "$VICTIM"
	wait_for 60 "the copied replica to be back" well
	steady
	mark
	impostor "$SCRATCH/impostor"
}

# shellcheck shell=bash
# Faults of what a host does to a process that runs: its files or their directory go, its clock is of another century, its
# disk loses the power amid several records. As in faults.sh: one fault, healed. Sourced by run.sh after
# faults_disk.sh.

FAULTS+=(files_deleted directory_deleted directory_renamed lock_removed)
[[ -z $PRELOAD_LIBRARY ]] ||
	FAULTS+=(torn_records_primary torn_records_backup torn_records_all clock_70_years)

# --- the directory ----------------------------------------------------------------------------------------------------

# Under the running process, which notices, gives its uuid up and starts over by itself.
fault_files_deleted() {
	local log before
	pick_member || return 1
	log=$LOGS/replica-$VICTIM.log
	before=$(grep -c 'starting again as a new replica' "$log" || true)
	begun_anew() { (($(grep -c 'starting again as a new replica' "$log" || true) > before)); }
	mark
	find "$(replica_dir "$VICTIM")" -mindepth 1 -delete 2>/dev/null || true # it may be making the next segment
	wait_for 30 "replica $VICTIM to begin anew" begun_anew
}

# A replica whose directory can be taken away: not one that a disk is mounted on.
pick_unmounted() {
	pick_member || return 1
	! mountpoint -q "$(replica_dir "$VICTIM")" || VICTIM=1
}

# Without its directory a replica cannot start over: it says so for a while, serves no request, and ends.
ends_without_directory() {
	wait_for 40 "replica $VICTIM to end without its directory" dead "${PIDS[replica-$VICTIM]}"
	join "$VICTIM" 2>/dev/null
	((STATUS == 1)) || fail "replica $VICTIM ended with status $STATUS, not 1, after its directory was taken away"
	up "$VICTIM"
}

fault_directory_deleted() {
	pick_unmounted || return 1
	mark
	mv "$(replica_dir "$VICTIM")" "$SCRATCH/deleted" # at once: of one whose files go first it makes a new one
	rm -rf "$SCRATCH/deleted"
	ends_without_directory
}

# A new directory of the same name, as someone tidying up might make.
fault_directory_renamed() {
	pick_unmounted || return 1
	mark
	mv "$(replica_dir "$VICTIM")" "$SCRATCH/renamed"
	mkdir "$(replica_dir "$VICTIM")"
	ends_without_directory
	rm -rf "$SCRATCH/renamed"
}

# A cleaner removes whatever looks like a lock; then the same replica is started once more on the living directory. The
# second must end, and may change nothing.
fault_lock_removed() {
	local second
	pick_member || return 1
	second=5$VICTIM
	mark
	rm -f "$(replica_dir "$VICTIM")"/lock* "$(replica_dir "$VICTIM")"/*.pid
	draw 2
	HOST_OF[replica-$second]=${HOSTS[$((DRAWN == 0 ? VICTIM : 4))]:-} # there its number is taken, here it is free
	[[ -n ${HOST_OF[replica-$second]} ]] || unset "HOST_OF[replica-$second]"
	local options=()
	[[ -z ${HOSTS[4]:-} ]] || options=(--listen "10.0.0.$((DRAWN == 0 ? VICTIM : 4))" --frontend "$FRONTEND_HOST")
	launch "replica-$second" "$JH_BUILD/server/justhungry-server" --id "$VICTIM" --data-dir "$(replica_dir "$VICTIM")" \
		--program-base "$BASE" --postcode-check grammar --segment-bytes "$SEGMENT_BYTES" "${options[@]}"
	wait_for 20 "the second replica on one directory to end" dead "${PIDS[replica-$second]}"
	join "$second" 2>/dev/null
	((STATUS == 1)) || fail "a second replica on a living directory ended with status $STATUS, not 1"
}

# --- the disk's power, amid several records ---------------------------------------------------------------------------

# While a sync hangs the records of many clients gather; the write behind it has all of them, and the power fails within
# it: what reached the disk is a part from the front, or any sectors.
torn_records() { # ID...
	local id how=t
	launch bench "$JH_BUILD/client/justhungry" --program-base "$BASE" --frontend "$FRONTEND_HOST" \
		--timeout 2 --json bench --yes --clients 64 --seconds 60
	linger 500
	draw 2
	((DRAWN == 0)) || how=T
	mark
	for id; do
		tell_shim "$id" s
	done
	linger 400
	for id; do
		tell_shim "$id" "$how"
	done
}

one_torn() {
	torn_records "$VICTIM"
	wait_for 20 "replica $VICTIM to lose its power" dead "${PIDS[replica-$VICTIM]}"
	kill9 bench
	join "$VICTIM" 2>/dev/null
	up "$VICTIM"
}
fault_torn_records_primary() { pick_primary && one_torn; }
fault_torn_records_backup() { pick_backup && one_torn; }

fault_torn_records_all() {
	torn_records "${REPLICAS[@]}"
	linger 200
	kill9 bench
	all_fallen
}

# --- the clock --------------------------------------------------------------------------------------------------------

# No order may be dated by it: the others' clocks are right.
fault_clock_70_years() {
	local off=2208988800 dated now
	pick_member || return 1
	draw 2
	((DRAWN == 0)) || off=-$off
	mark
	tell_clock "$VICTIM" "$off"
	linger 1000
	draw 2
	((DRAWN == 0)) || { try switchover "$VICTIM" && ((STATUS == 0)); } || fail "switchover: $OUT $ERR"
	try --json order "DH1 1AA" "under a clock of another century"
	((STATUS == 0)) || fail "an order under a clock that is 70 years off: $OUT $ERR"
	dated=$(date -d "$(jq -r .time <<<"$OUT")" +%s)
	now=$(date +%s)
	((dated <= now + 90)) || fail "an order was dated $((dated - now)) s ahead, by a clock of another century: $OUT"
	tell_clock "$VICTIM" 0
}

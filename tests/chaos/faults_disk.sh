# shellcheck shell=bash
# Faults of disks and clocks. As in faults.sh: one fault, healed; at most one replica loses what it had synced.
# Sourced by run.sh.

FAULTS+=(flip_bit torn_journal old_directory frontend_lost_directory frontend_old_directory)
[[ -z $PRELOAD_LIBRARY ]] ||
	FAULTS+=(sync_error write_error power_cut_primary power_cut_backup power_cut_all torn_write_primary
		torn_write_all slow_disk clock_jump)
[[ -z ${JH_OWN_HOST:-} ]] || FAULTS+=(disk_full)

# --- files of a replica that is down --------------------------------------------------------------------------------

damage() { # flip|tear
	local journals
	mark
	kill9 "$VICTIM"
	mapfile -t journals < <(printf '%s\n' "$(replica_dir "$VICTIM")"/journal-[0-9]* | sort -r) # newest first
	draw 1000000000
	"$JH_BUILD/tests/chaos/chaos_damage" "$1" "$DRAWN" "${journals[@]}" >>"$RUN/begun" ||
		fail "the journal of replica $VICTIM was not harmed"
	up "$VICTIM"
}
fault_flip_bit() { pick_member && damage flip; }
fault_torn_journal() { pick_member && damage tear; }

replace_directory() { # DIR WITH: keeps the directory itself, which may be mounted
	find "$1" -mindepth 1 -delete
	cp -a "$2/." "$1"
	rm -rf "$2"
}

# A copy of before the last few thousand orders.
fault_old_directory() {
	local copy=$SCRATCH/old-copy
	pick_backup || return 1
	stop "$VICTIM"
	cp -a "$(replica_dir "$VICTIM")" "$copy"
	up "$VICTIM"
	wait_for 60 "the copied replica to be back" well
	steady
	mark
	kill9 "$VICTIM"
	replace_directory "$(replica_dir "$VICTIM")" "$copy"
	up "$VICTIM"
}

fault_frontend_lost_directory() {
	mark
	kill9 frontend
	rm -rf "$SCRATCH/frontend"
	up_frontend
}

# Of a view that is not the latest any more.
fault_frontend_old_directory() {
	local copy=$SCRATCH/old-frontend
	cp -a "$SCRATCH/frontend" "$copy"
	pick_backup || return 1
	try switchover "$VICTIM"
	steady
	mark
	kill9 frontend
	replace_directory "$SCRATCH/frontend" "$copy"
	up_frontend
}

# --- through the shim -----------------------------------------------------------------------------------------------

tell_shim() { printf '%s' "$2" 1<>"$(control_of "$1")"; } # ID COMMAND

# Whatever happens, it must end by itself at its next write.
dies_of() { # COMMAND
	mark
	tell_shim "$VICTIM" "$1"
	wait_for 20 "replica $VICTIM to die of '$1'" dead "${PIDS[replica-$VICTIM]}"
	join "$VICTIM" 2>/dev/null
	up "$VICTIM"
}
fault_sync_error() { pick_member && dies_of e; }
fault_write_error() { pick_member && dies_of w; }
fault_power_cut_primary() { pick_primary && dies_of p; }
fault_power_cut_backup() { pick_backup && dies_of p; }
fault_torn_write_primary() { pick_primary && dies_of t; }

# One that had nothing more to write survives where the others died.
all_fallen() {
	local id
	for id in "${REPLICAS[@]}"; do
		kill -KILL "${PIDS[replica-$id]}" 2>/dev/null || true
		join "$id" 2>/dev/null
	done
	for id in "${REPLICAS[@]}"; do
		up "$id"
	done
}

all_die_of() {
	local id
	mark
	for id in "${REPLICAS[@]}"; do
		tell_shim "$id" "$1"
	done
	linger 200
	all_fallen
}
fault_power_cut_all() { all_die_of p; }
fault_torn_write_all() { all_die_of t; }

# Beyond --stall-ms, or not.
fault_slow_disk() {
	pick_member || return 1
	mark
	tell_shim "$VICTIM" s
	linger 4000
	tell_shim "$VICTIM" -
}

tell_clock() { # ID SECONDS that it is off
	printf '%-24s' "$2" 1<>"$(control_of "$1").clock"
	dd if="$(control_of "$1").clock" of="$(control_of "$1")" bs=8 seek=1 conv=notrunc status=none
}

# By up to 12 days, forth or back, and home again.
fault_clock_jump() {
	local id=9
	draw 4
	((DRAWN == 0)) || { pick_member && id=$VICTIM; }
	draw 2000000
	mark
	tell_clock "$id" $((DRAWN - 1000000))
	linger 1000
	tell_clock "$id" 0
}

acknowledged_past() { # COUNT
	acknowledged
	((ACKNOWLEDGED > $1))
}

# Not drawn: what no system survives, every disk lying at once. The verdict must be that orders are lost.
fault_lying_disks() {
	local id
	mark
	for id in "${REPLICAS[@]}"; do
		tell_shim "$id" l
	done
	acknowledged
	for _ in 1 2; do # the count is written now and then: the second new one was taken while they lied
		wait_for 20 "orders to be acknowledged" acknowledged_past "$ACKNOWLEDGED"
	done
	wait_for 20 "orders to be acknowledged that are on no disk" acknowledged_past $((ACKNOWLEDGED + 200))
	kill9 frontend # it knows what was acknowledged, and would not let them serve without
	for id in "${REPLICAS[@]}"; do
		tell_shim "$id" c
	done
	# Killed before it looks at a clock, one of them would keep what its disk lied about.
	for id in "${REPLICAS[@]}"; do
		wait_for 20 "replica $id to lose its power" dead "${PIDS[replica-$id]}"
	done
	all_fallen
	up_frontend
}

# --- a disk that can be filled --------------------------------------------------------------------------------------

order_ends_with() { # STATUS
	try --timeout 2 order "DH1 1AA" "while the disk is full"
	((STATUS == $1))
}
# Others order, too, lest it takes long until the next segment is wanted.
fault_disk_full() {
	mark
	dd if=/dev/zero of="$(replica_dir 3)/ballast" bs=1M status=none 2>/dev/null || true
	launch bench "$JH_BUILD/client/justhungry" --program-base "$BASE" --frontend "$FRONTEND_HOST" \
		--timeout 2 --json bench --yes --clients 64 --seconds 120
	wait_for 120 "orders to be turned away" order_ends_with 4
	kill9 bench
	rm "$(replica_dir 3)/ballast"
	wait_for 30 "orders to be taken again" order_ends_with 0
}

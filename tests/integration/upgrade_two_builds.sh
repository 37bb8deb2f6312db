#!/bin/bash
# An upgrade with two programs of which the later speaks one format more. Orders flow all the time. Replicas and front-end are
# replaced one after the other, in either direction, and what only the later format has is refused, until the operator
# says `upgrade`, which is refused while a program cannot. From then on it is there, and the older program is not let in.
source "$(dirname "$0")/lib.sh"

OLDER=$JH_BUILD NEWER=$JH_BUILD/tests/newer/build/justhungry

TIMEOUT=30000
count() { "$JH_BUILD/tests/newer/build/counter_client" "$BASE" "$TIMEOUT"; }
told() { # LINE PATTERN: one request, and all that it is told
	local line client request
	line=$(count <<<"$1") || [[ -n $line ]] || fail "$1: no answer"
	read -r client request _ <<<"$1"
	grep -q -x -E "$client $request $2" <<<"$line" || fail "$1: told '$line', not '$2'"
}
members_are() { status_is "[.replicas[] | select(.role == \"primary\" or .role == \"backup\")] | length == $1"; }
replace() { # NAME PROGRAMS: while orders flow
	stop "$1"
	PROGRAMS=$2
	if [[ $1 == frontend ]]; then
		start_frontend
	else
		start_replica "$1"
	fi
	wait_for 30 "three members after $1 was replaced" members_are 3
	orders_flow 50 "after $1 was replaced"
}
not_yet() { # PATTERN: upgrade is refused, and names what it waits for
	expect 3 "$1" upgrade
	orders_flow 20 "although nothing was upgraded"
}

PROGRAMS=$OLDER
form 3
start_load load 150
expect 0 'already at format 3' upgrade

# --- replaced one after the other -------------------------------------------------------------------------------------------

replace 1 "$NEWER"
not_yet 'the front-end speaks no format above 3'
replace frontend "$NEWER"
not_yet 'replica [23] \(version [0-9.]+\) speaks no format above 3: upgrade its program first'
expect 0 'replica 2 is (already )?the primary' switchover 2
TIMEOUT=1000 told 'early 9 0 5' 'unavailable - 0 0' # which replica 2 cannot read; it serves on
orders_flow 20 "although something was refused"
replace 2 "$NEWER"
not_yet 'replica 3 \(version [0-9.]+\) speaks no format above 3: upgrade its program first'

# Nobody is bound by the later program yet.
replace 1 "$OLDER"
not_yet 'replica [13] .*speaks no format above 3'
replace frontend "$OLDER"
replace frontend "$NEWER"

replace 1 "$NEWER"
replace 3 "$NEWER"
told 'early 1 0 5' 'refused - 12 0'
told 'early 2 9 -5' 'refused - 12 0' # whatever it asks for
told 'early 2 0 -5' 'refused - 12 0'
orders_flow 20 "although something was refused"

# --- upgraded ---------------------------------------------------------------------------------------------------------------

expect 0 'format 4 is in use since view [0-9]+' upgrade
expect 0 'already at format 4: nothing to upgrade' upgrade
orders_flow 50 "after the upgrade"
told 'early 1 0 5' 'done final 0 [0-9]+ 5' # the refusal was of that call only
told 'late 1 9 1' 'done final 0 [0-9]+ 1'
told 'late 2 9 -2' 'refused final 1 0 1'
told 'late 3 0 -6' 'refused - 1 0 5'
finish load

for_all() { # COMMAND: with each replica as the primary
	local id
	for id in 1 2 3; do
		expect 0 "replica $id is (already )?the primary" switchover "$id"
		"$@"
	done
}
known() {
	told 'early 1 0 5' 'done final 0 [0-9]+ 5'
	told 'late 2 9 -2' 'refused final 1 0 1'
}
for_all known
kill9 1 2 3
for id in 1 2 3; do
	start_replica "$id"
done
wait_for 60 "the cluster to serve" serving
wait_for 30 "three level members" members_level 3
for_all known
told 'late 4 9 -1' 'done final 0 [0-9]+ 0'

# --- the older program, then --------------------------------------------------------------------------------------------------

state_of() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2); }
refused() { # NAME DIRECTORY COMMAND...
	local before name=$1 directory=$2
	before=$(state_of "$directory")
	shift 2
	"$@"
	ends "$name" 1 'format 4.*speaks 3|format 4.*upgrade'
	diff <(echo "$before") <(state_of "$directory") >&2 || fail "$directory was changed"
}
stop 2
PROGRAMS=$OLDER
refused 2 "$(replica_dir 2)" start_replica 2
refused 2 "$(replica_dir 2)" launch replica-2 "$OLDER/server/justhungry-server" --check "$(replica_dir 2)"
# Nor as a new one: it is told why.
rm -r "$(replica_dir 2)"
start_replica 2
wait_for 30 "status to name it" status_is '.replicas[] | select(.id == 2) | .state |
	test("speaks cluster format 3, the cluster uses 4: upgrade the replica")'
stop 2
rm -r "$(replica_dir 2)"
stop frontend
refused frontend "$SCRATCH/frontend" start_frontend
PROGRAMS=$NEWER
start_frontend
start_replica 2
wait_for 60 "three level members" members_level 3
for_all known

! grep -h 'from the operations differ' "$LOGS"/replica-*.log || fail "the two programs computed differently"

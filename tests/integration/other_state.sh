#!/bin/bash
# A replica whose program computes another state from the same operations: status names it, the other program and the op, it
# stores and acknowledges as before, no read is answered there, and it does not become primary; promote --force makes it one.
# With the right program in its place the mark goes.
source "$(dirname "$0")/lib.sh"

other=$JH_BUILD/tests/newer/other_state_server

start_other() { # ID: of the same directory
	launch "replica-$1" "$other" --id "$1" --data-dir "$(replica_dir "$1")" --program-base "$BASE" "${SERVER_OPTIONS[@]}"
}
order() { expect 0 placed --timeout 20 order "DH1 3LE" "$1"; }
marked() { status_is '.health == "degraded" and (.summary | test("replica 3 .*computes another state than primary [12] .*from op 3 on"))'; }

start_replica 1
start_replica 2
start_other 3
start_frontend --new-cluster
jh --timeout 60 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
[[ $(primary) != 3 ]] || expect 0 '' switchover 1

order soup
order bread
status_is '.health == "ok"' || fail "the first two are computed alike: $(status_json)"
order cheese
order wine
wait_for 20 "status to name who computes another state" marked
# It stores and acknowledges, and no read of it is seen: each shows the newest order.
for dish in tea cake pie; do
	order "$dish"
	for ((i = 0; i < 6; i++)); do
		expect 0 "$dish" history "DH1 3LE"
	done
done
wait_for 10 "all to be level" members_level 3

# A restart forgets nothing.
kill9 3
order rice
start_other 3
wait_for 20 "status to name it again" marked

# The primary dies: the sound one leads; and then there is none.
kill9 "$(primary)"
order beans
wait_for 20 "a sound primary" serving
[[ $(primary) != 3 ]] || fail "replica 3 leads: $(status_json)"
kill9 "$(primary)"
says() { status_is ".summary | test(\"no primary: replica 3 computes another state\")"; }
wait_for 20 "status to say why nobody leads" says
expect 0 . --timeout 20 promote --force 3
expect 0 beans --timeout 20 history "DH1 3LE"

# The right program everywhere: what it computes is the same, and the marks go.
kill9 3
start_replica 3
start_replica 1
start_replica 2
all_well() { status_is '.health == "ok" and ([.replicas[] | select(.member)] | length == 3)'; }
order plums
wait_for 60 "the marks to go" all_well
expect 0 plums history "DH1 3LE"

#!/bin/bash
# `status --check`, for monitoring: one line, exit status 0 ok, 1 degraded, 2 no orders can be taken. The JSON says
# whether orders are taken, and why not; that holds for a full history, for too few copies, and when no process can be
# asked. An order that is only held while a view settles counts as taken.
source "$(dirname "$0")/lib.sh"

checks() { # STATUS PATTERN: and that in one line
	expect "$1" "$2" status --check
	(($(wc -l <<<"$OUT") == 1)) || fail "status --check says more than one line: $OUT"
}
checks 2 '^no orders can be taken: no front-end is registered'
expect 2 'do not go together' status --check --watch
SERVER_OPTIONS+=(--max-orders 3)
FRONTEND_OPTIONS+=(--min-members 2 --suspect-ms 20000 --stall-ms 60000) # a stopped process is not given up
form 3
wait_for 20 "three copies" status_is '.health == "ok"'
checks 0 '^ok \(3 of 3 copies, view [0-9]+, primary [123]\)$'
status_is '.accepts_orders == true and .why_not == null and .copies == 3 and .expected == 3' ||
	fail "all is well and status says: $(status_json)"
# The next view waits for a member that may live: no operator is needed yet.
[[ $(primary) == 1 ]] || expect 0 '' switchover 1
signal STOP 3
launch hand-over "$JH_BUILD/client/justhungry" --program-base "$BASE" switchover 2
settles() { status_is '.health == "unavailable" and .accepts_orders == true and .why_not == null'; }
wait_for 20 "the view to settle" settles
checks 1 '^degraded: orders wait a moment: view [0-9]+ settles at replica 2'
signal CONT 3
wait_for 20 "three copies again" status_is '.health == "ok"'
join hand-over
kill9 3
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" one
wait_for 20 "the view without replica 3" status_is '.copies == 2'
checks 1 '^degraded: 2 of 3 copies, replica 3 lost since 20[0-9-]* [0-9:]*[+-][0-9:]* \(2 of 3 copies'
status_is '.accepts_orders == true and (.replicas[] | select(.id == 3) | .expected and (.lost_since | test("^20.*Z$")))' ||
	fail "a copy is lost and status says: $(status_json)"

# No room for another order: the history can be read, and the status is not ok.
expect 0 . order "DH1 3LE" two
expect 0 . order "DH1 3LE" three
expect 4 'max-orders|room' order "DH1 3LE" "one too many"
refuses() { status_is '.accepts_orders == false and .health == "degraded" and (.why_not | test("--max-orders"))'; }
wait_for 10 "status to say that no order is taken" refuses
checks 2 '^no orders can be taken: replica [12] holds as many orders as its --max-orders allows'
expect 0 three history "DH1 3LE"

# Too few copies.
kill9 2
few() { status_is '.accepts_orders == false and (.why_not | test("--min-members"))'; }
wait_for 10 "status to say that copies are too few" few
checks 2 'no orders can be taken: --min-members asks for 2 copies'

# Only a replica to ask: it knows what is missing, and which front-end managed it.
kill9 frontend
checks 2 'no orders can be taken: '
expect 4 '; 1 of 3 copies answer here.*, replica 3 lost since 20[0-9-]* [0-9:]*[+-][0-9:]*' status
expect 4 'replica 1 heard the last one at 127.0.0.1:' status
status_is '.accepts_orders == false and .copies == 1 and .expected == 3 and (.why_not | length > 0)' ||
	fail "status without a front-end: $(status_json)"
kill9 1
checks 2 'no orders can be taken: '

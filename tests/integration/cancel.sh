#!/bin/bash
# Rule 12: a doubt can be ended. `cancel` makes a request that was not executed void, forever: before its first attempt, across
# a kill -9 of the primary, and with the history full for orders; one that was executed is named instead. `order` ends a doubt
# about a number of its own in the same way.
source "$(dirname "$0")/lib.sh"

# Both commands that `order` prints in doubt, run as they stand.
printed() { # order|cancel: of standard error in ERR
	local command
	command=$(grep -o -E "^  justhungry $1 .*" <<<"$ERR") || fail "no command to $1: $ERR"
	STATUS=0
	PATH=$JH_BUILD/client:$PATH eval "${command/--json/}" >"$LOGS/printed" 2>&1 || STATUS=$?
}
json_is() { # FILTER COMMAND...
	local filter=$1
	shift
	try --json "$@"
	jq -e "$filter" <<<"$OUT" >/dev/null || fail "justhungry --json $*: $OUT"
}
placed() { # ITEM: how many orders with it there are
	jh --json history --limit 0 "DH1 3LE" | jq --arg item "$1" '[.orders[] | select(.items == [$item])] | length'
}

form 3
id=0123abcd-0000-4000-8000-000000000001
name() { name=(--client-id "$id" --request "$1"); } # the options that name request N

# --- undecided, and done ----------------------------------------------------------------------------------------------

name 5
expect 0 '^Request 5 is void: it was not executed and never will be\.$' cancel "${name[@]}"
json_is '.outcome == "refused" and .reason == "void" and .final == true and .became == null and .request == 5' \
	order "${name[@]}" "DH1 3LE" late
((STATUS == 3)) || fail "an order under a void number: status $STATUS"
expect 0 'Request 5 is void' cancel "${name[@]}"
# An operation, and no order: the four that were loaded are all there are.
wait_for 10 "status to count orders alone" status_is '.replicas | all(.orders == 4 and .op >= 1)'
json_is '.outcome == "done" and .final == true and .reason == null and .became == null and .error == null and .request == 5 and
	(.client | length == 36)' cancel "${name[@]}"

name 6
expect 0 placed order "${name[@]}" "DH1 3LE" kept
op=$(op_of_cluster)
expect 3 "request 6 was executed before: order $op, which cannot be taken back yet" cancel "${name[@]}"
json_is ".outcome == \"refused\" and .reason == \"done-before\" and .final == true and
	.became == {kind: \"order\", op: $op, result: \"done\"}" cancel "${name[@]}"
expect 0 "Order $op " order "${name[@]}" "DH1 3LE" kept
json_is ".outcome == \"refused\" and .reason == \"key-reused\" and .final == true and
	.became == {kind: \"order\", op: $op, result: \"done\"} and (.error | test(\"order $op\"))" \
	order "${name[@]}" "DH1 3LE" "something else"
expect 3 "already used for other content: order $op, which was done" order "${name[@]}" "DH1 3LE" "something else"
# A number that a higher one has passed over is void already.
name 2
expect 0 'Request 2 is void' cancel "${name[@]}"

# --- usage --------------------------------------------------------------------------------------------------------------

one_line() { [[ $(grep -c 'justhungry cancel: ' <<<"$ERR") == 1 ]] || fail "not one line: $ERR"; }
expect 2 'justhungry cancel: --client-id is missing' cancel --request 5
one_line
expect 2 'justhungry cancel: --request is missing' cancel --client-id "$id"
one_line
expect 2 'justhungry cancel: --client-id: "x" is not a UUID' cancel --client-id x --request 5
one_line
expect 2 'justhungry cancel: --request: "0" is not a whole number' cancel --client-id "$id" --request 0
one_line
expect 2 'justhungry cancel: "5" is too much' cancel --client-id "$id" --request 5 5
one_line
expect 0 'Ends the doubt' cancel --help
echo "cancel --client-id $id --request 5" | jh shell | grep -q 'Request 5 is void' || fail "the shell does not cancel"

# --- a primary is killed between ----------------------------------------------------------------------------------------

name 7
expect 0 'Request 7 is void' cancel "${name[@]}"
first=$(primary)
kill9 "$first"
expect 3 'it is void' order "${name[@]}" "DH1 3LE" late
expect 0 'Request 7 is void' cancel "${name[@]}"
name 6
expect 3 "executed before: order $op" cancel "${name[@]}"

# --- in doubt: the order waits in the front-end, whose fate is not known to its client ------------------------------------

signal STOP frontend
name 8
expect 5 'outcome unknown' --timeout 0.5 order "${name[@]}" "DH1 3LE" doubtful
doubt=$ERR
signal CONT frontend
wait_for 20 "a primary that serves" serving
ERR=$doubt
printed cancel
if ((STATUS == 0)); then # it overtook the order
	expect 3 'it is void' order "${name[@]}" "DH1 3LE" doubtful
	(($(placed doubtful) == 0)) || fail "void, and placed"
else
	((STATUS == 3)) && grep -q 'was executed before: order' "$LOGS/printed" || fail "status $STATUS: $(<"$LOGS/printed")"
	expect 0 placed order "${name[@]}" "DH1 3LE" doubtful
	(($(placed doubtful) == 1)) || fail "placed, but not once"
fi
start_replica "$first"
jh --timeout 60 status --wait 3 >/dev/null || fail "not three again: $(status_json)"

# --- a line of a file ---------------------------------------------------------------------------------------------------

name 20
expect 0 placed order "${name[@]}" "DH1 3LE" "first line"
name 21
expect 0 'Request 21 is void' cancel "${name[@]}"
printf 'DH1 3LE\tfirst line\nDH1 3LE\tsecond line\nDH1 3LE\tthird line\n' >"$SCRATCH/orders"
expect 3 'The number of line 2 is void' order --client-id "$id" --request 20 --file "$SCRATCH/orders"
sed -i 1,2d "$SCRATCH/orders"
printed order
((STATUS == 0)) || fail "the file does not go on: $(<"$LOGS/printed")"
(($(placed "first line") == 1 && $(placed "second line") == 0 && $(placed "third line") == 1)) || fail "other lines were placed"

# --- nobody to ask ------------------------------------------------------------------------------------------------------

kill9 1 2 3
name 30
SECONDS=0
try --timeout 1 --json cancel "${name[@]}"
((SECONDS < 5)) || fail "cancel --timeout 1 took $SECONDS s"
[[ $STATUS:$(jq -r '.outcome + ":" + (.final | tostring)' <<<"$OUT") =~ ^(4:unavailable|5:unknown):false$ ]] || fail "$STATUS: $OUT"
expect '[45]' 'justhungry' --timeout 1 cancel "${name[@]}"
for id_of_replica in 1 2 3; do
	start_replica "$id_of_replica"
done
jh --timeout 60 status --wait 3 >/dev/null || fail "not up again: $(status_json)"
expect 0 'Request 30 is void' cancel "${name[@]}"
name 7
expect 3 'it is void' order "${name[@]}" "DH1 3LE" late
name 6
expect 3 "executed before: order $op" cancel "${name[@]}"
(($(placed late) == 0)) || fail "a void request is in the history"

# --- no order is taken --------------------------------------------------------------------------------------------------

stop frontend 1 2 3
rm -rf "$SCRATCH/frontend" "$(replica_dir 1)" "$(replica_dir 2)" "$(replica_dir 3)"
SERVER_OPTIONS+=(--max-orders 4)
form 2
for n in 1 2 3 4; do
	expect 0 placed order "DH1 3LE" "filling $n"
done
name 1
expect 5 'the order history is full' --timeout 1 order "${name[@]}" "DH1 3LE" "no room"
printed cancel
((STATUS == 0)) && grep -q 'Request 1 is void' "$LOGS/printed" || fail "with the history full: $STATUS: $(<"$LOGS/printed")"
printed order
((STATUS == 3)) && grep -q 'it is void' "$LOGS/printed" || fail "after the cancellation: $STATUS: $(<"$LOGS/printed")"
expect 4 'the order history is full' --timeout 1 order "DH1 3LE" "no room"

# --- `order` by itself: its first attempt was lost, and a repeat is refused for a reason of that moment ------------------

stop frontend 1 2
rm -rf "$SCRATCH/frontend" "$(replica_dir 1)" "$(replica_dir 2)"
dead_provider=http://127.0.0.1:9
SERVER_OPTIONS=(--postcode-check strict --postcodes-io "$dead_provider" --getthedata "$dead_provider")
form 1
signal STOP 1
OUTPUT=$LOGS/own.json launch own "$JH_BUILD/client/justhungry" --program-base "$BASE" --timeout 60 --json order "SW1A 1AA" pizza
order_waits() { status_is '.queued >= 1'; }
wait_for 10 "the order to be under way" order_waits
kill9 frontend
start_frontend
signal CONT 1
wait_for 30 "the order to end" dead "${PIDS[own]}"
join own
own() { jq -r "$1" < <(sed -n '/^{/,$p' "$LOGS/own.json"); }
((STATUS == 3)) || fail "status $STATUS: $(<"$LOGS/own.json")"
[[ $(own '"\(.outcome) \(.reason) \(.final)"') == "refused postcode-unchecked true" ]] || fail "$(<"$LOGS/own.json")"
own .error | grep -q 'could not validate postcode.*void now, and will never be executed' || fail "$(<"$LOGS/own.json")"
name=(--client-id "$(own .client)" --request "$(own .request)")
expect 3 'it is void' order "${name[@]}" "SW1A 1AA" pizza

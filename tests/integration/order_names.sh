#!/bin/bash
# An order has the same name everywhere: order, shell, --file and history give the op by which status, logs and JSON
# know it, beside its number within the postcode; and people see local times, programs UTC.
source "$(dirname "$0")/lib.sh"

form 1
op=0
named() { # POSTCODE NUMBER: the line on standard output, and what the history has
	op=$((op + 1))
	grep -q -x -F "Order $op (#$2 for $1) placed" <<<"$OUT" || fail "not told by its op $op and number $2: $OUT"
	jh --json history --limit 0 "$1" | jq -e ".orders[] | select(.op == $op) | .number == $2" >/dev/null ||
		fail "JSON has no op $op under number $2"
	jh history --limit 0 "$1" | grep -q -E "^  #$2 +op $op " || fail "history has no op $op under #$2: $(jh history "$1")"
}
expect 0 placed order "DH1 3LE" soup
named "DH1 3LE" 3
expect 0 placed order "EC1A 1BB" bread
named "EC1A 1BB" 1
printf 'DH1 3LE\tfrom a file\n' >"$SCRATCH/orders"
expect 0 placed order --file "$SCRATCH/orders"
named "DH1 3LE" 4
STATUS=0
OUT=$(jh shell <<<'justhungry order "EC1A 1BB" "from a shell"') || STATUS=$?
((STATUS == 0)) || fail "the shell ended with $STATUS"
named "EC1A 1BB" 2
try --json order "DH1 3LE" json
jq -e '.op == 5 and .number == 5' <<<"$OUT" >/dev/null || fail "JSON: $OUT"
jh history "DH1 3LE" | grep -q -E '^  #1 +-  +at the start  +burger, fries$' || fail "what was loaded: $(jh history "DH1 3LE")"
# If history is given an op, the error says what it expects.
expect 3 'invalid postcode' history 5

# --- times ----------------------------------------------------------------------------------------------------------

utc=$(jh --json history "DH1 3LE" | jq -r '.orders[-1].time')
[[ $utc =~ ^20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}Z$ ]] || fail "JSON has no UTC: $utc"
there='<+0545>-5:45'
wall="$(TZ=$there date -d "$utc" '+%Y-%m-%d %H:%M:%S')+05:45"
TZ=$there jh history "DH1 3LE" | grep -q -F "  $wall  json" || fail "history does not say $wall: $(jh history "DH1 3LE")"
[[ $(TZ=$there jh --json history "DH1 3LE" | jq -r '.orders[-1].time') == "$utc" ]] || fail "JSON follows the clock on the wall"

# The front-end uses UTC, because it does not know the reader's zone.
start_replica 2
jh --timeout 30 status --wait 2 >/dev/null || fail "no second member: $(status_json)"
kill9 2
wait_for 20 "replica 2 to be missed" status_is '.summary | test("lost since 20[0-9-]*T[0-9:]*Z")'
utc=$(status_get '.summary | capture("lost since (?<t>[^ ,]*)") | .t')
wall="$(TZ=$there date -d "$utc" '+%Y-%m-%d %H:%M:%S')+05:45"
try status
TZ=$there jh status | grep -q -F "lost since $wall" || fail "status does not say $wall: $OUT"
check=$(TZ=$there jh status --check) || true
grep -q -F "lost since $wall" <<<"$check" || fail "--check does not say $wall: $check"
[[ $(TZ=$there jh --json status | jq -r .summary) == *"lost since $utc"* ]] || fail "the JSON summary has no UTC"
stop frontend 1

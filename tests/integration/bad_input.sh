#!/bin/bash
# Bad input gets an exit status and one line that says what is wrong, where the limit is, or what to start. Never a
# crash, never an order placed.
source "$(dirname "$0")/lib.sh"

# Nothing runs yet.
expect 4 'justhungry-frontend' --timeout 1 order "DH1 3LE" soup
try --json --timeout 1 status
((STATUS == 4)) || fail "status without a cluster: status $STATUS"
jq -e '.health == "unavailable"' <<<"$OUT" >/dev/null || fail "status without a cluster: $OUT"

start_replica 1
start_frontend --new-cluster
jh --timeout 20 status --wait 1 >/dev/null

expect 3 'invalid postcode: NOT A POSTCODE \(.*the form of a British postcode' order "NOT A POSTCODE" soup
expect 3 'invalid postcode: ' order "" soup
expect 3 'invalid postcode: ' order "QQ1 1AA1" soup
expect 2 . order "DH1 3LE"
expect 2 . order
expect 2 . nonsense
expect 2 '"pizza" is taken for the postcode' order pizza
expect 2 'order, cancel, history, .*, bench'
expect 0 'promote +the way out' help
expect 0 'POSTCODE ITEM' help order
expect 2 . --no-such-option order "DH1 3LE" soup
expect 2 . --program-base zero status
expect 2 'DH1 3LE' order DH1 3LE pizza

fits=$(head -c 128 /dev/zero | tr '\0' x)
expect 0 . order "DH1 3LE" "$fits"
expect '[23]' '128' order "DH1 3LE" "${fits}x"
mapfile -t items < <(seq 33)
expect 0 . order "DH1 3LE" "${items[@]:0:32}"
expect '[23]' '32' order "DH1 3LE" "${items[@]}"
expect '[23]' '64' order --customer "${fits:0:65}" "DH1 3LE" soup
expect '[23]' 'UTF-8' order "DH1 3LE" $'caf\xe9'
expect '[23]' 'UTF-8' order --customer $'\xff' "DH1 3LE" soup
expect '[23]' . order "DH1 3LE" ""
expect '[23]' . order --client-id 12345 --request 1 "DH1 3LE" soup
expect '[23]' . order --client-id 0123abcd-0000-4000-8000-000000000001 --request 0 "DH1 3LE" soup
expect 0 'Order [0-9]+ \(#1 for EC1A 1BB\)' order "EC1A 1BB" "crème brûlée" "寿司"
expect 3 'the form of a British postcode' history "NOT A POSTCODE"

try --json history "DH1 3LE"
jq -e '.total == 4' <<<"$OUT" >/dev/null || fail "something refused was placed: $OUT"

# A file that stops says what has to change before the same command can continue, and suggests none that must fail again.
file=$SCRATCH/orders
goes_on() { # STATUS PATTERN: the command that was said
	local line
	line=$(grep -E '^  justhungry order .*--file' <<<"$ERR") || fail "no command goes on: $ERR"
	eval "command=(${line#*justhungry })"
	# shellcheck disable=SC2154 # eval
	expect "$1" "$2" "${command[@]}"
}
printf 'DH1 3LG\tsoup\nDH1 3LG, pie\nDH1 3LG\tbread\n' >"$file"
expect 2 'Correct line 2 in place' order --file "$file"
sed -i '2s/.*/pie\tDH1 3LG/' "$file"
goes_on 5 'Correct line 2 in place'
sed -i '2s/.*/DH1 3LG\tpie/' "$file"
said=$ERR
goes_on 0 'Order [0-9]+ \(#5 for DH1 3LG\)'
ERR=$said
sed -i 1d "$file"
goes_on 3 'Up to line 1 these are not the lines .*put back'
! grep -q -E '^  justhungry' <<<"$ERR" || fail "a command that fails again: $ERR"
expect 2 'customer.s name' order --customer $'\xff' --file "$file"
! grep -q -E 'line 1' <<<"$ERR" || fail "no line is at fault: $ERR"

# No primary: says so and which replicas it waits for. No front-end: says what to start.
kill9 1
expect '[45]' 'justhungry status .*tells what is missing' --timeout 2 order "DH1 3LE" soup
expect 4 'justhungry-server --id 1 ' status
kill9 frontend
expect 4 'justhungry-frontend' --timeout 2 order "DH1 3LE" soup
if [[ -n ${JH_OWN_HOST:-} ]]; then
	kill9 rpcbind
	expect 4 'rpcbind' --timeout 2 order "DH1 3LE" soup
	start_replica 2
	ends 2 '[1-4]' 'rpcbind'
fi

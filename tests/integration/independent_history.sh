#!/bin/bash
# What a cluster's operations became, every outcome and both digests after each op, is what a program that shares no code with
# the servers computes from the bodies alone (tests/independent/history.py): at every replica, with repeats, void requests,
# a primary that was killed and a replica that received the whole state. And that program notices what does not fit.
source "$(dirname "$0")/lib.sh"

history=$(dirname "$0")/../independent/history.py
client=0123abcd-0000-4000-8000-000000000001
request() { # N ARGUMENT...
	local number=$1
	shift
	order --client-id "$client" --request "$number" "$@"
}
order() { expect 0 placed --timeout 20 order "$@"; }
cancel() { expect "$1" . --timeout 20 cancel --client-id "$client" --request "$2"; } # STATUS N

form 3
request 1 "DH1 3LE" soup
request 1 "DH1 3LE" soup
cancel 3 1
cancel 0 3
cancel 0 3
expect 3 . order --client-id "$client" --request 3 "DH1 3LE" "too late"
expect 3 . order --client-id "$client" --request 2 "DH1 3LE" "below the last"
request 18446744073709551614 --customer 'Ann "Crème" \B' "SW1A 1AA" $'two\u200bwords' 'brûlée, 2 pieces'
kill9 "$(primary)"
request 18446744073709551614 --customer 'Ann "Crème" \B' "SW1A 1AA" $'two\u200bwords' 'brûlée, 2 pieces'
cancel 0 18446744073709551615
order "DH1 3LE" "by a client of its own"
for id in 1 2 3; do
	[[ -n ${PIDS[replica-$id]:-} ]] && continue
	rm -rf "$(replica_dir "$id")"
	start_replica "$id"
	wait_for 30 "the wiped replica to be a backup again" role_is "$id" backup
done
order "DH1 3LG" "to all three"
wait_for 10 "equal digests on all three" members_level 3
stop frontend 1 2 3

operations() { "$JH_BUILD/server/justhungry-server" --check "$(replica_dir "$1")" --json >"$SCRATCH/operations-$1"; }
for id in 1 2 3; do
	operations "$id" || fail "replica $id: --check: $(<"$SCRATCH/operations-$id")"
	"$history" <"$SCRATCH/operations-$id" >"$LOGS/history" 2>&1 || fail "replica $id: $(<"$LOGS/history")"
	grep -q '^6 operations and 4 loaded records:' "$LOGS/history" || fail "replica $id: $(<"$LOGS/history")"
	results=$(sed -n -E '/^\{"op":[1-9]/s/.*"result":"([a-z]*)".*/\1/p' "$SCRATCH/operations-$id" | tr '\n' ' ')
	[[ $results == "done void done void done done " ]] || fail "replica $id: the operations became: $results"
done

# --- what does not fit is named -------------------------------------------------------------------------------------------

# names PATTERN SED-ARGUMENT...: what sed makes of that output differs, and where is said.
names() {
	local pattern=$1 status=0
	shift
	sed -E "$@" "$SCRATCH/operations-1" >"$SCRATCH/changed"
	! cmp -s "$SCRATCH/operations-1" "$SCRATCH/changed" || fail "nothing was changed by: $*"
	"$history" <"$SCRATCH/changed" >"$LOGS/history" 2>&1 || status=$?
	((status == 1)) && (($(wc -l <"$LOGS/history") == 1)) && grep -q -E -- "^history.py: $pattern" "$LOGS/history" ||
		fail "sed $*: status $status, not '$pattern': $(<"$LOGS/history")"
}
names 'op 1: .*item is "soum"' '/"op":1,/s/736f7570/736f756d/'
names 'op 1: its body is no operation: padding' '/"op":1,/s/(0744483120334c45)00/\101/'
names 'op 2: its body is no operation: .* after its end' '/"op":2,/s/"\}$/00000000"}/'
names 'op 1: digest' '/"op":1,/{s/736f7570/736f756d/;s/"soup"/"soum"/}'
names 'op 2: outcome' '/"op":2,/s/"result":"void"/"result":"passed"/'
names 'op 3: outcome' '/"op":3,/s/"values":\[1\]/"values":[2]/'
names 'op 5: fold' '/"op":5,/s/"fold":"./"fold":"x/'
names 'op 4: it follows op 2' '/"op":3,/d'
names 'loaded record 2: digest' 2d
names 'summary: the last op' '/"op":6,"committed"/d'
names 'summary: it is missing after op 6' "\$d"
names 'op 4: request 3 .* was decided by op 2 already' '/"op":4,/{s/"request":18446744073709551615/"request":3/}'

#!/bin/bash
# Three replicas form one cluster: every order is on all of them, their digests are equal, reads are distributed, and
# after a stop of everything the same three come back as members with everything.
source "$(dirname "$0")/lib.sh"

form 3
status_is '.health == "ok" and ([.replicas[].role] | sort == ["backup", "backup", "primary"])' ||
	fail "three replicas are not ok with one primary: $(status_json)"
for number in 3 4 5 6; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LG\) placed" order "DH1 3LG" "item $number"
done
# One after the other, each answered by another replica: none may be behind.
for _ in 1 2 3 4 5 6; do
	try --json history "DH1 3LG"
	jq -e '.total == 6 and (.orders | length == 6)' <<<"$OUT" >/dev/null || fail "a stale read: $OUT"
done
wait_for 10 "equal digests on all three" members_level 3
before=$(status_get '.replicas[0] | "\(.digest) \(.op)"')

stop frontend 1 2 3
for id in 3 1 2; do
	start_replica "$id"
done
start_frontend
jh --timeout 30 status --wait 3 >/dev/null
wait_for 10 "equal digests after the restart" members_level 3
after=$(status_get '.replicas[0] | "\(.digest) \(.op)"')
[[ $before == "$after" ]] || fail "digest and op were $before, are $after"
expect 0 'Order [0-9]+ \(#7 for DH1 3LG\) placed' order "DH1 3LG" "after the restart"
stop frontend 1 2 3

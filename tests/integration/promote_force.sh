#!/bin/bash
# Rule 3's way out: the members that hold every order are lost for good and only an old copy is left. The service waits
# and says for which replicas; `promote` without --force changes nothing; with it the old copy serves, and the lost
# members, should they return after all, do not come back as equals: what only they held is set aside.
source "$(dirname "$0")/lib.sh"

form 3
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" "on all three"
wait_for 10 "equal digests on all three" members_level 3
kill9 3
for number in 4 5 6; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LE\) placed" order "DH1 3LE" "on two only"
done
cluster=$(status_get .cluster)
kill9 1 2
start_replica 3
wait_for 20 "status to name replicas 1 and 2" unavailable_says 'waiting for replicas? .*1.*2'
expect '[45]' . --timeout 1 order "DH1 3LE" "must wait"

wait_for 20 "replica 3 to be heard" status_is '.replicas[] | select(.id == 3) | .role != "down"'
expect 2 'nothing was changed' --frontend "$(status_get .frontend)" --timeout 20 promote 3
all_the_same=$(sed -n 's/^To do it all the same: //p' <<<"$ERR")
[[ $all_the_same == *' --frontend '*' --force 3' ]] || fail "does not say how to do it all the same: $ERR"
expect 3 . promote --force 9
# Typed as printed, whatever the environment says.
JUSTHUNGRY_FRONTEND=127.0.0.1:1 PATH=$JH_BUILD/client:$PATH sh -c "$all_the_same" || fail "$all_the_same: status $?"
expect 0 'on all three' history "DH1 3LE" # what was shown before the loss is no floor any more (rule 3)
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' --timeout 20 order "DH1 3LE" "after the promotion"
[[ $(status_get .cluster) == "$cluster" ]] || fail "the cluster has another name now"
log_says frontend 'forced|force' || fail "the front-end does not log the promotion"

start_replica 1
start_replica 2
wait_for 30 "the others to be backups" status_is '[.replicas[] | select(.role == "backup")] | length == 2'
wait_for 10 "equal digests on all three" members_level 3
try --json history "DH1 3LE"
jq -e '[.orders[].items[0]] == ["burger", "pizza", "on all three", "after the promotion"]' <<<"$OUT" >/dev/null ||
	fail "the old branch came back: $OUT"
for id in 1 2; do
	find "$(replica_dir "$id")/set-aside" -type f | grep -q . || fail "replica $id threw its old data away"
done

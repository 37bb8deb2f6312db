#!/bin/bash
# Rule 3: a member whose directory is an old copy of its own, and that is alone, is not promoted: it holds less than the
# front-end has shown. The service waits, says so, and loses nothing once the other member is back.
source "$(dirname "$0")/lib.sh"

form 2
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" "in the copy"
wait_for 10 "equal digests on both" members_level 2
kill9 2
cp -a "$(replica_dir 2)" "$SCRATCH/copy"
start_replica 2
wait_for 20 "replica 2 to be a member that is level" members_level 2
for number in 4 5 6; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LE\) placed" order "DH1 3LE" "not in the copy"
done
wait_for 10 "equal digests on both" members_level 2
status_is '[.replicas[] | select(.member)] | length == 2' || fail "not two members: $(status_json)"
kill9 1 2
rm -rf "$(replica_dir 2)"
mv "$SCRATCH/copy" "$(replica_dir 2)"
start_replica 2
wait_for 20 "status to say that no member is sure to hold all" unavailable_says 'data lost'
expect '[45]' . --timeout 1 order "DH1 3LE" "must wait"
expect 4 . --timeout 1 history "DH1 3LE"
start_replica 1
wait_for 30 "two level members" members_level 2
expect 0 'placed' --timeout 20 order "DH1 3LE" "both are back"
[[ $(jh --json history "DH1 3LE" | jq '[.orders[] | select(.items[0] == "not in the copy")] | length') == 3 ]] ||
	fail "an acknowledged order is gone: $(jh --json history "DH1 3LE")"
stop frontend 1 2

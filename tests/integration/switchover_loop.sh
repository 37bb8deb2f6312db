#!/bin/bash
# The primary is moved again and again under load: no client sees an error or a refusal, and nothing is lost or
# duplicated.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 15
for ((round = 1; round <= 12; round++)); do
	before=$(primary)
	expect 0 . switchover
	wait_for 20 "another primary (round $round)" status_is ".primary > 0 and .primary != $before"
done
target=$(a_backup)
expect 0 . switchover "$target"
[[ $(primary) == "$target" ]] || fail "switchover $target made $(primary) primary"
finish load
expect 3 . switchover 9

# Several operators at once: each is answered, done or refused, and none waits for an answer that went to another.
for operator in 1 2 3 4 5 6; do
	launch "operator-$operator" "$JH_BUILD/client/justhungry" --program-base "$BASE" --timeout 20 switchover
done
for operator in 1 2 3 4 5 6; do
	join "operator-$operator"
	[[ $STATUS == [03] ]] || fail "operator $operator of six at once: status $STATUS"
done
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3

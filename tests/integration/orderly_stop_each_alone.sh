#!/bin/bash
# Rule 10: A, B, C are stopped one after the other in an orderly way while no order waits; all stay members, so
# whichever comes back alone can serve with every order, if the others never return.
source "$(dirname "$0")/lib.sh"

form 3
for number in 3 4 5; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LE\) placed" order "DH1 3LE" "item $number"
done
wait_for 10 "equal digests on all three" members_level 3
stop 1 2 3 frontend
cp -a "$SCRATCH/frontend" "$SCRATCH/frontend.kept"
for survivor in 1 2 3; do
	cp -a "$(replica_dir "$survivor")" "$SCRATCH/kept-$survivor"
done

for survivor in 1 2 3; do
	rm -rf "$SCRATCH/frontend" "$(replica_dir "$survivor")"
	cp -a "$SCRATCH/frontend.kept" "$SCRATCH/frontend"
	cp -a "$SCRATCH/kept-$survivor" "$(replica_dir "$survivor")"
	start_frontend
	start_replica "$survivor"
	# The order is what makes the view manager give up the others: an idle view is never shrunk.
	expect 0 'Order [0-9]+ \(#6 for DH1 3LE\) placed' --timeout 30 order "DH1 3LE" "replica $survivor alone"
	try --json history "DH1 3LE"
	jq -e '.total == 6 and ([.orders[].number] == [1, 2, 3, 4, 5, 6])' <<<"$OUT" >/dev/null || fail "history of $survivor: $OUT"
	kill9 frontend "$survivor"
done

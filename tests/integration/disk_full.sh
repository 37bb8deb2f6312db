#!/bin/bash
# Rule 13: a member whose disk is full makes the primary refuse orders, naming the replica, while reads go on; freeing
# space heals without a restart.
source "$(dirname "$0")/lib.sh"
needs_own_host

small=$(replica_dir 2)
mkdir "$small"
mount -t tmpfs -o size=512m tmpfs "$small"
form 3
expect 0 'Order #3 for DH1 3LE placed' order "DH1 3LE" soup
# Leaves nothing but what was preallocated.
dd if=/dev/zero of="$small/ballast" bs=1M status=none 2>/dev/null || true
refuses() {
	try order "DH1 3LE" "$(head -c 128 /dev/zero | tr '\0' x)"
	((STATUS == 4)) && grep -q -E 'disk full on replica 2' <<<"$ERR"
}
launch load "$JH_BUILD/client/justhungry" --program-base "$BASE" --timeout 2 --json bench --clients 64 --seconds 60
wait_for 60 "an order to be refused" refuses
kill9 load
status_is '.health == "degraded" and (.summary | test("orders are refused: disk full on replica 2"))' ||
	fail "orders are refused and status says: $(status_json)"
expect 0 'DH1 3LE' history "DH1 3LE"
status_is '[.replicas[] | select(.role == "primary" or .role == "backup")] | length == 3' || fail "a full disk is no failure: $(status_json)"
rm "$small/ballast"
takes() {
	try order "DH1 3LE" "after the space came back"
	((STATUS == 0))
}
wait_for 20 "orders to be taken again" takes
wait_for 10 "equal digests on all three" members_level 3
stop frontend 1 2 3

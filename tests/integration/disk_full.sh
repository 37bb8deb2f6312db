#!/bin/bash
# Rule 13: a full disk blocks orders for at most --full-wait-s, wherever another copy can serve, and status names it. A
# full primary hands over; a member that stays full leaves, does not come back while it is full, and does by itself when
# it has room; alone it refuses orders, reads continue, and freeing space cures it without a restart. No acknowledged
# order is lost.
source "$(dirname "$0")/lib.sh"
needs_own_host

small=$(replica_dir 2)
mkdir "$small"
mount -t tmpfs -o size=256m tmpfs "$small"
SERVER_OPTIONS+=(--segment-bytes 8388608)
FRONTEND_OPTIONS=(--full-wait-s 5)
form 3

# What is on the disk stays, and there is room for nothing more.
fill() { dd if=/dev/zero of="$small/ballast" bs=1M status=none 2>/dev/null || true; }
free() { rm "$small/ballast"; }

turned_away() {
	try --timeout 5 order "DH1 3LE" soup
	((STATUS == 4)) && grep -q 'disk full on replica 2' <<<"$ERR"
}
says() { status_is ".summary | test(\"$1\")"; }

# --- a backup
start_load load 60 4
primary=$(primary)
((primary != 2)) || expect 0 '' switchover 1
fill
many_big
wait_while_filling "status to name the full disk" says "orders are refused: disk full on replica 2"
status_is '.health == "degraded"' || fail "orders are refused and status says: $(status_json)"
wait_for 20 "it to leave" role_is 2 learner
orders_flow 100 "without it"
log_says frontend 'evicted: replica 2' || fail "the front-end did not say whom it evicted"
says "replica 2 is no member, its disk is full" || fail "status does not say why replica 2 is no member: $(status_json)"
no_big
free
wait_for 20 "it to come back" role_is 2 backup

# --- the primary
expect 0 '' switchover 2
fill
many_big
wait_while_filling "the full primary to hand over" log_says frontend "the primary's disk is full: switchover to"
wait_for 20 "it to leave" role_is 2 learner
orders_flow 100 "at another primary"
no_big
hurry load
join load
audit load

# --- alone: it has what the others have, since it came back
free
wait_for 20 "it to come back" role_is 2 backup
kill9 1 3
wait_for 10 "it to serve alone" status_is '.primary == 2'
fill
many_big
wait_while_filling "orders to be turned away" turned_away
no_big
expect 0 'DH1 3LE' history "DH1 3LE"
free
takes() { jh order "DH1 3LE" "after the space came back" >/dev/null 2>&1; }
wait_for 20 "orders to be taken again" takes
audit load
stop frontend 2

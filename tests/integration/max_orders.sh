#!/bin/bash
# Rule 19: replicas with different --max-orders. The lowest of the members counts, under its replica's name, and no
# replica ends because it is sent more than it holds; one that holds less than there already is is not admitted, and
# status says why. With a higher limit at that replica, orders continue.
source "$(dirname "$0")/lib.sh"

start_replica 1
start_replica 2 --max-orders 6
start_replica 3
start_frontend --new-cluster
jh --timeout 60 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"

full() {
	try --timeout 5 order "DH1 3LE" soup
	((STATUS == 4)) && grep -q 'replica 2 holds at most 6 orders' <<<"$ERR"
}
wait_for 20 "orders to be turned away at the lowest limit" full
wait_for 10 "all to be level" members_level 3
(($(op_of_cluster) == 6)) || fail "there are $(op_of_cluster) orders, and replica 2 holds 6"
wait_for 5 "status to say so" status_is '.health == "degraded" and (.summary | test("replica 2 holds as many orders as its --max-orders allows"))'
expect 0 '#8' history "DH1 3LE"

start_replica 4 --max-orders 5
wait_for 20 "status to say why replica 4 is no member" status_is '.summary | test("replica 4 has room for 5 orders only")'
role_is 4 learner || fail "replica 4 holds less than there is: $(status_json)"

stop 2
start_replica 2
takes() { jh --timeout 5 order "DH1 3LE" soup >/dev/null 2>&1; }
wait_for 20 "orders to be taken again" takes
role_is 4 learner || fail "replica 4 holds less than there is: $(status_json)"
kill9 4
# It held more once than it may now: one line.
stop 1
start_replica 1 --max-orders 3
ends 1 1 'more than --max-orders 3: start this replica with a higher one'
stop frontend 2 3

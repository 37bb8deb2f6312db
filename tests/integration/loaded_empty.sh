#!/bin/bash
# Whatever initial orders each replica was given, including none at all, the cluster's count; every replica joins,
# before the first order and after it, and one that brought others says so in one line.
source "$(dirname "$0")/lib.sh"

printf '# nothing\n\n' >"$SCRATCH/comments"
printf 'DH1 3LE\tAnn\tanother\n' >"$SCRATCH/other"
# The same orders as are compiled in, in a file.
printf '%s\n' $'DH1 3LE\t\tburger\tfries' $'DH1 3LE\t\tpizza' $'DH1 3LG\t\tfried chicken\tchips' $'DH1 3LG\t\tvegetables' \
	>"$SCRATCH/same"

told() { log_says "replica-$1" "the cluster began with other initial orders \($2\) than this replica was loaded with \($3\): the cluster's count"; }
loaded() { jh --json history "DH1 3LE" | jq -e ".total == $1" >/dev/null; } # how many the cluster has

start_replica 1 --initial-orders /dev/null
start_frontend --new-cluster
wait_for 20 "replica 1 to serve" serving
start_replica 2
start_replica 3 --initial-orders "$SCRATCH/comments"
start_replica 4 --initial-orders "$SCRATCH/other"
wait_for 20 "all to be members of a cluster without orders" members_level 4
told 2 0 4 || fail "replica 2 does not say whose initial orders count"
told 4 0 1 || fail "replica 4 does not say whose initial orders count"
log_says replica-3 "initial orders \(" && fail "replica 3 complains of initial orders that are the cluster's"
loaded 0 || fail "not the cluster's initial orders: $(jh --json history "DH1 3LE")"
stop 2
kill9 4
[[ $("$JH_BUILD/server/justhungry-server" --check "$(replica_dir 2)" | jq .damaged) == false ]] || fail "replica 2 is damaged"
start_replica 2
start_replica 4 --initial-orders "$SCRATCH/other"
wait_for 20 "the restarted ones to be level" members_level 4
expect 0 'Order 1 \(#1 for DH1 3LE\) placed' order "DH1 3LE" first
start_replica 5
wait_for 20 "the one that joins after the first order" members_level 5
told 5 0 4 || fail "replica 5 does not say whose initial orders count"
stop frontend 5 4 3 2 1

# The other way: the cluster has orders, and the joining replica has none.
start_replica 6
start_frontend --data-dir "$SCRATCH/frontend-2" --new-cluster
wait_for 20 "replica 6 to serve" serving
start_replica 7 --initial-orders /dev/null
start_replica 8 --initial-orders "$SCRATCH/same"
wait_for 20 "all to be members" members_level 3
told 7 4 0 || fail "replica 7 does not say whose initial orders count"
log_says replica-8 "initial orders \(" && fail "replica 8 complains of initial orders that are the cluster's"
stop frontend 8 7 6

#!/bin/bash
# Two fresh, empty replicas join a cluster of one under load: they become members, level with the first; no client
# notices.
source "$(dirname "$0")/lib.sh"

form 1
start_load load 20
start_replica 2
wait_for 30 "replica 2 to be a backup" role_is 2 backup
start_replica 3
wait_for 30 "replica 3 to be a backup" role_is 3 backup
finish load
wait_for 20 "equal digests on all three" members_level 3
kill9 1
expect 0 'Order [0-9]+ \(#1 for DH1 1AA\) placed' --timeout 30 order "DH1 1AA" "from one that joined"
audit load
stop frontend 2 3

#!/bin/bash
# Three hosts (network and mount namespaces with a /run and an rpcbind of their own) form one cluster across a bridge;
# the host of the primary is cut off, orders continue, and it comes back.
source "$(dirname "$0")/lib.sh"
needs_own_host

make_bridge
jh() { on 1 "$JH_BUILD/client/justhungry" --program-base "$BASE" "$@"; }

for host in 1 2 3; do
	add_host "$host"
	HOST_PID=${HOSTS[$host]}
	start_replica "$host" --listen "10.0.0.$host" --frontend 10.0.0.1
done
HOST_PID=${HOSTS[1]}
start_frontend --listen 0.0.0.0 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3 --new-cluster
HOST_PID=
jh --timeout 60 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
for host in 1 2 3; do
	status_is ".replicas[] | select(.id == $host) | .address | startswith(\"10.0.0.$host:\")" ||
		fail "status does not show replica $host at 10.0.0.$host: $(status_json)"
done
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" soup
# A client on another host.
on 3 "$JH_BUILD/client/justhungry" --program-base "$BASE" --frontend 10.0.0.1 order "DH1 3LE" bread |
	grep -q -E 'Order [0-9]+ \(#4 for DH1 3LE\) placed' || fail "no order from host 3"

# Cut off the host of the primary (of a backup when that is the front-end's own host).
victim=$(primary)
((victim != 1)) || victim=2
ip link set "veth$victim" down
expect 0 'Order [0-9]+ \(#5 for DH1 3LE\) placed' order "DH1 3LE" "while host $victim is cut off"
ip link set "veth$victim" up
wait_for 60 "replica $victim to be a member again" status_is '[.replicas[] | select(.role == "backup")] | length == 2'
wait_for 20 "equal digests on all three" members_level 3
kill9 "$(primary)"
expect 0 'Order [0-9]+ \(#6 for DH1 3LE\) placed' order "DH1 3LE" "after kill -9"

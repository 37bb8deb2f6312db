#!/bin/bash
# Three hosts (network and mount namespaces with a /run and an rpcbind of their own) form one cluster across a bridge;
# the host of the primary is cut off, orders go on, and it comes back.
source "$(dirname "$0")/lib.sh"
needs_own_host

ip link add bridge type bridge
ip link set bridge up
declare -A hosts=()
add_host() { # N: 10.0.0.N; its processes are started with HOST_PID set to hosts[N]
	unshare --net --mount "$BASH" -c 'mount -t tmpfs tmpfs /run; exec sleep infinity' &
	hosts[$1]=$! PIDS[host-$1]=$!
	separate() { [[ $(readlink "/proc/${hosts[$1]}/ns/net") != "$(readlink /proc/self/ns/net)" ]] &&
		[[ $(tr '\0' ' ' <"/proc/${hosts[$1]}/cmdline") == sleep* ]]; }
	wait_for 10 "host $1" separate "$1"
	ip link add "veth$1" type veth peer name eth0 netns "${hosts[$1]}"
	ip link set "veth$1" master bridge up
	on "$1" ip link set lo up
	on "$1" ip address add "10.0.0.$1/24" dev eth0
	on "$1" ip link set eth0 up
	HOST_PID=${hosts[$1]}
	launch "rpcbind-$1" rpcbind -f
	HOST_PID=
	wait_for 10 "rpcbind on host $1" on "$1" rpcinfo -p >/dev/null 2>&1
}
on() { # N COMMAND...
	local pid=${hosts[$1]}
	shift
	nsenter --net --mount --root -t "$pid" "$@"
}
jh() { on 1 "$JH_BUILD/client/justhungry" --program-base "$BASE" "$@"; }

for host in 1 2 3; do
	add_host "$host"
	HOST_PID=${hosts[$host]}
	start_replica "$host" --listen "10.0.0.$host" --frontend 10.0.0.1
done
HOST_PID=${hosts[1]}
start_frontend --listen 0.0.0.0 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3 --new-cluster
HOST_PID=
jh --timeout 60 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
for host in 1 2 3; do
	status_is ".replicas[] | select(.id == $host) | .address | startswith(\"10.0.0.$host:\")" || fail "$(status_json)"
done
expect 0 'Order #3 for DH1 3LE placed' order "DH1 3LE" soup
# A client on another host.
on 3 "$JH_BUILD/client/justhungry" --program-base "$BASE" --frontend 10.0.0.1 order "DH1 3LE" bread |
	grep -q 'Order #4 for DH1 3LE placed' || fail "no order from host 3"

# Cut off the host of the primary (of a backup when that is the front-end's own host).
victim=$(primary)
((victim != 1)) || victim=2
ip link set "veth$victim" down
expect 0 'Order #5 for DH1 3LE placed' order "DH1 3LE" "while host $victim is cut off"
ip link set "veth$victim" up
wait_for 60 "replica $victim to be a member again" status_is '[.replicas[] | select(.role == "backup")] | length == 2'
wait_for 20 "equal digests on all three" members_level 3
kill9 "$(primary)"
expect 0 'Order #6 for DH1 3LE placed' order "DH1 3LE" "after kill -9"

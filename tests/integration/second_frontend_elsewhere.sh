#!/bin/bash
# Three hosts and one front-end. On another host the advice is not to start a second one: status says where the running
# one is. Started all the same, it sees one replica of three, or all, does no harm and ends; --take-over needs all. A
# replica on a host that --replica-hosts does not name is named in status.
source "$(dirname "$0")/lib.sh"
needs_own_host

make_bridge
jh() { on "${AT:-1}" "$JH_BUILD/client/justhungry" --program-base "$BASE" "$@"; }
second() { # NAME HOST OPTION...
	HOST_PID=${HOSTS[$2]}
	launch "$1" "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/$1" --program-base "$BASE" \
		--listen "10.0.0.$2" "${@:3}"
	HOST_PID=
}

for host in 1 2 3 4; do
	add_host "$host"
done
for host in 1 2 3; do
	HOST_PID=${HOSTS[$host]}
	start_replica "$host" --listen "10.0.0.$host" --frontend 10.0.0.1
done
HOST_PID=${HOSTS[1]}
start_frontend --listen 0.0.0.0 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3 --new-cluster
HOST_PID=
jh --timeout 60 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
where=$(status_get '.frontend' | sed 's/^0.0.0.0/10.0.0.1/')
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" soup

# On host 3, as an operator would.
AT=3 expect 4 "replica 3 is managed by the one at $where: .justhungry status --frontend $where --program-base $BASE" status
grep -q 'start it' <<<"$OUT$ERR" && fail "status advises to start a front-end while one is heard: $OUT $ERR"
AT=3 expect 0 '^ok' --frontend "$where" status
AT=3 expect 2 "managed by the one at $where" status --check
second mistake 3 --replica-hosts 10.0.0.3
ends mistake 1 "error .*replicas are managed by the front-end at $where: use that one, or --take-over"
second seen-all 3 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3 --new-cluster
ends seen-all 1 "error .*replicas are managed by the front-end at $where: use that one, or --take-over"
for name in mistake seen-all; do
	(($(grep -c ' error ' "$LOGS/$name.log") == 1)) || fail "$name says more than one line of error"
done
# Meant, but it cannot see all.
second meant 3 --replica-hosts 10.0.0.3 --take-over
waits() { log_says meant 'take-over of view [0-9]+: waiting for replicas 1, 2'; }
wait_for 20 "the take-over to wait" waits
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' order "DH1 3LE" "no harm done"
expect 0 '^ok' status
stop meant

# A replica that will never be asked.
HOST_PID=${HOSTS[4]}
start_replica 4 --listen 10.0.0.4 --frontend 10.0.0.1
HOST_PID=
unlisted() { status_is '.summary | test("replica 4 at 10.0.0.4 is not in --replica-hosts")'; }
wait_for 20 "status to name replica 4" unlisted
expect 0 'replica 4 at 10.0.0.4 is not in --replica-hosts' status
stop 4

# A take-over that is meant.
second successor 2 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3 --take-over
ends frontend 1 'error .*replaced: replica [123] is bound to another front-end'
AT=2
wait_for 20 "the successor to serve" serving
expect 0 'Order [0-9]+ \(#5 for DH1 3LE\) placed' order "DH1 3LE" "after the take-over"
stop successor 1 2 3

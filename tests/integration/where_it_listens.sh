#!/bin/bash
# A front-end that runs, but not where it is looked for: clients say where it is, and what to do, instead of advising to
# start it. And no program advises to start a replica that was removed.
source "$(dirname "$0")/lib.sh"
needs_own_host

form 2
port=$(status_get '.frontend | split(":") | last')
expect 0 placed --frontend "localhost:$port" order "DH1 3LE" pizza
expect 0 ok --frontend "localhost:$port" status
expect 2 'goes behind "--"' order "DH1 3LE" pizza -extra
expect 0 placed order -- "DH1 3LE" pizza -extra
expect 4 "no front-end answers at 127.0.0.1:1 .*is registered there at .*: use --frontend" \
	--timeout 1 --frontend 127.0.0.1:1 order "DH1 3LE" pizza
expect 4 "cannot find host nobody.invalid: " --timeout 2 --frontend nobody.invalid:1 order "DH1 3LE" pizza
expect 2 "a port is a number from 1 to 65535" --frontend localhost:99999 status

# Daemons are given hosts, and ask their rpcbinds for the ports.
for where in localhost:40001 127.0.0.1:40001 "[::1]:40001"; do
	start_replica 3 --frontend "$where"
	ends 3 2 "--frontend .*: a host without a port is needed"
	launch second "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/second" --replica-hosts "127.0.0.1,$where"
	ends second 2 "--replica-hosts .*: a host without a port is needed"
done

# On another host, a front-end listens on the loopback that only it itself reaches.
make_bridge 10.0.0.9/24
add_host 1
HOST_PID=${HOSTS[1]}
launch other "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/other" --program-base "$BASE"
HOST_PID=
wait_for 20 "the other front-end" log_says other '^ready'
expect 4 "10.0.0.1 listens at 127.0.0.1:[0-9]+, which only 10.0.0.1 itself reaches: restart it there with --listen" \
	--timeout 2 --frontend 10.0.0.1 order "DH1 3LE" pizza

kill9 2
expect 0 placed order "DH1 3LE" pizza
expect 0 "replica 2 is removed" remove 2
stop frontend
expect 4 "replica 1 heard the last one" status
! grep -q "replica 2 is down" <<<"$OUT" || fail "what was removed is to be started: $OUT"

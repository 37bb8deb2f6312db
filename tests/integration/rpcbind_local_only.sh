#!/bin/bash
# An rpcbind that runs and answers on its local socket only (on a host without /etc/services): every program that needs
# its network reports that, with the remedy, and none advises to start it. When it is restarted the service serves. And
# a replica whose --frontend names no host says so.
source "$(dirname "$0")/lib.sh"
needs_own_host

only='rpcbind runs here, but answers on its local socket only: install netbase .* and restart it'
kill9 rpcbind
launch rpcbind unshare --net rpcbind -f # its socket is a file, and so is here; its network is not
wait_for 10 "rpcbind to answer on its socket" rpcbind_answers
start_replica 1 --frontend localhost
start_frontend --new-cluster
for name in replica-1 frontend; do
	wait_for 20 "$name to say so" log_says "$name" "warn .*$only"
done
expect 4 "$only" status
expect 4 "$only" --timeout 1 order "DH1 3LE" soup
! grep -r -q 'start it with' "$LOGS" || fail "a program advised to start an rpcbind that runs"
kill9 rpcbind
start_rpcbind
jh --timeout 60 status --wait 1 >/dev/null || fail "no cluster: $(status_json)"

start_replica 2 --frontend nohost.invalid
wait_for 20 "replica 2 to miss the host" log_says replica-2 'warn .*cannot find host nohost.invalid: .*: see --frontend'
jh --timeout 60 status --wait 2 >/dev/null || fail "it was not found: $(status_json)" # without its help
stop frontend 1 2

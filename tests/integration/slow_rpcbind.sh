#!/bin/bash
# rpcbind is there and takes long to answer: a starting daemon waits for it, says so, and ends when it is told to; none
# advises to start an rpcbind that runs. When it resumes, every daemon is registered and the service serves.
source "$(dirname "$0")/lib.sh"

needs_own_host

start_replica 1
wait_for 20 "replica 1 to be ready" log_says replica-1 '^ready'
signal STOP rpcbind
start_replica 2
start_replica 3
start_frontend --new-cluster
for name in replica-2 replica-3 frontend; do
	wait_for 20 "$name to wait for rpcbind" log_says "$name" 'warn .*slow or stopped'
done
wait_for 20 "replica 1 to notice" log_says replica-1 'warn .*slow or stopped'
stop 3 # while it waits
# Longer than any of them waited for the first answer.
registered_now() { rpcinfo -p 2>/dev/null | grep -q "$((BASE + 2))"; }
tries=0
several() { tries=$((tries + 1)) && ((tries > 40)); }
wait_for 20 "two seconds" several
signal CONT rpcbind
wait_for 20 "replica 2 to be registered" registered_now
start_replica 3 # in the place of its own dead entry, which a stopped rpcbind could not remove
jh --timeout 15 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
expect 0 'Order [0-9]+ \(#' order "DH1 3LE" soup
! log_says replica-2 'start it with' || fail "it was told to start an rpcbind that runs"

# One that is stopped for good does not delay the end of a daemon.
signal STOP rpcbind
stop frontend 1 2 3
signal CONT rpcbind

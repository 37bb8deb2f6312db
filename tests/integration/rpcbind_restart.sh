#!/bin/bash
# rpcbind is killed with -9 under load and started again, empty, when every daemon has missed it: no established
# connection ends, no client notices, and every daemon is registered again by itself.
source "$(dirname "$0")/lib.sh"
needs_own_host # rpcbind is only ever killed on a host of our own

form 3
start_load load 10
view=$(status_get .view)
kill9 rpcbind
for name in frontend replica-1 replica-2 replica-3; do
	wait_for 15 "$name to miss rpcbind" log_says "$name" 'warn .*cannot reach rpcbind'
done
start_replica 4
ends 4 1 'error .*cannot reach rpcbind' # a daemon that could not be found does not start; the others continue
start_rpcbind
all_registered() {
	local listing offset
	listing=$(rpcinfo -p)
	for offset in 0 1 2 3; do
		grep -q -E "^ *$((BASE + offset)) +$((offset == 0 ? 2 : 1)) +tcp " <<<"$listing" || return 1
	done
}
wait_for 15 "everybody to be registered again" all_registered
finish load
status_is ".view == $view" || fail "a view was made: rpcbind is for discovery, not for suspicion"
expect 0 'Order [0-9]+ \(#1 for DH1 1AA\)' order "DH1 1AA" "found again"
wait_for 10 "equal digests on all three" members_level 3
stop frontend 1 2 3

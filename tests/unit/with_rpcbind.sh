#!/bin/bash
# Runs a program where an rpcbind answers: as root in a network, with a /run, of its own; else on this host, with what
# runs there.
#
#   with_rpcbind.sh PROGRAM [ARGUMENT...]
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

if [[ -z ${JH_OWN_RPCBIND:-} ]] && ((EUID == 0)) && unshare --net --mount --pid --fork true 2>/dev/null; then
	JH_OWN_RPCBIND=1 exec unshare --net --mount --pid --fork --mount-proc --kill-child "$BASH" "$0" "$@"
fi
if [[ -n ${JH_OWN_RPCBIND:-} ]]; then
	mount -t tmpfs tmpfs /run
	ip link set lo up
	rpcbind -f >/dev/null 2>&1 &
	for ((i = 0; i < 200; i++)); do
		timeout 5 rpcinfo -p >/dev/null 2>&1 && break
		sleep 0.05
	done
fi
"$@"

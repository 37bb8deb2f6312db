#!/bin/bash
# rpcinfo shows the whole system, and stock ONC RPC pings reach every process; after an orderly stop nothing is left
# registered.
source "$(dirname "$0")/lib.sh"

form 3
listing=$(rpcinfo -p)
for offset in 0 1 2 3; do
	grep -q -E "^ *$((BASE + offset)) +1 +tcp " <<<"$listing" || fail "program $((BASE + offset)) is not listed: $listing"
	rpcinfo -T tcp 127.0.0.1 $((BASE + offset)) 1 | grep -q 'ready and waiting' || fail "program $((BASE + offset)) does not answer"
	# Version 0 probes for the supported range.
	rpcinfo -T tcp 127.0.0.1 $((BASE + offset)) | grep -q 'version 1 ready and waiting' || fail "rpcinfo does not find the versions of program $((BASE + offset)) by itself"
	if rpcinfo -T tcp 127.0.0.1 $((BASE + offset)) 2 >/dev/null 2>&1; then
		fail "version 2 of program $((BASE + offset)) answers"
	fi
done
stop frontend 1 2 3
base_is_free "$BASE" || fail "left in rpcbind: $(rpcinfo -p)"

#!/bin/bash
# rpcinfo shows the whole system, and stock ONC RPC pings reach every process; after an orderly stop nothing is left
# registered.
source "$(dirname "$0")/lib.sh"

form 3
listing=$(rpcinfo -p)
for offset in 0 1 2 3; do
	version=$((offset == 0 ? 2 : 1)) other=$((offset == 0 ? 1 : 2))
	grep -q -E "^ *$((BASE + offset)) +$version +tcp " <<<"$listing" || fail "program $((BASE + offset)) is not listed: $listing"
	rpcinfo -T tcp 127.0.0.1 $((BASE + offset)) "$version" | grep -q 'ready and waiting' || fail "program $((BASE + offset)) does not answer"
	# Version 0 probes for the supported range.
	rpcinfo -T tcp 127.0.0.1 $((BASE + offset)) | grep -q "version $version ready and waiting" || fail "rpcinfo does not find the versions of program $((BASE + offset)) by itself"
	if rpcinfo -T tcp 127.0.0.1 $((BASE + offset)) "$other" >/dev/null 2>&1; then
		fail "version $other of program $((BASE + offset)) answers"
	fi
done
stop frontend 1 2 3
base_is_free "$BASE" || fail "left in rpcbind: $(rpcinfo -p)"

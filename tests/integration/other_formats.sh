#!/bin/bash
# Programs of different formats report the format, and which side must be upgraded: a replica of another cluster format
# in the front-end's log and in status, which does not advise to start it; a front-end of another format in the
# replica's answer and log; a front-end of another version to a client, whose order was certainly not executed.
source "$(dirname "$0")/lib.sh"

form 1
other=$JH_BUILD/tests/integration/other_format

declare -A WAYS=([2]=newer [3]=older [4]=cut [5]=deaf)
for id in "${!WAYS[@]}"; do
	launch "other-$id" "$other" $((BASE + id)) "${WAYS[$id]}"
done
row_says() { status_is ".replicas[] | select(.id == $1) | .state | test(\"$2\")"; } # ID PATTERN
named() { # ID PATTERN
	wait_for 30 "status to name the format of replica $1 (${WAYS[$1]})" row_says "$@"
	log_says frontend "replica $1: .*$2" || fail "the log does not name the format of replica $1"
}
named 2 'speaks cluster format 4, the front-end 3: upgrade the front-end'
named 3 'speaks cluster format 2, the front-end 3: upgrade the replica'
named 4 'speaks cluster format 4, the front-end 3: upgrade the front-end'
named 5 'speaks cluster formats that the front-end does not: upgrade the older one'
! log_says frontend 'malformed|makes no sense' || fail "the log says something else, too"
expect 0 'replica 2 speaks cluster format 4' status
! grep -q -E 'replica [2345] is down: start it' <<<"$OUT" || fail "it runs, and status advises to start it: $OUT"
expect 0 placed order "DH1 3LE" "while there are some of other formats"

# The other end.
for format in 1 2 4; do
	for _ in 1 2; do
		"$other" $((BASE + 1)) hello "$format" >"$LOGS/hello"
		grep -q -E "^1 replica 1 speaks cluster format 3, who calls it $format: upgrade" "$LOGS/hello" || fail "hello: $(<"$LOGS/hello")"
	done
	(($(grep -c "who calls it $format: upgrade" "$LOGS/replica-1.log") == 1)) || fail "not one line about format $format"
done
expect 0 placed order "DH1 3LE" "afterwards"

# Clients.
needs_own_host
kill9 frontend
launch peer "$JH_BUILD/tests/integration/rejecting_peer" prog_mismatch
wait_for 10 "the rejecting peer" test -s "$LOGS/peer.log"
for command in 'order "DH1 3LE" x' 'history "DH1 3LE"' switchover 'remove 2'; do
	eval "expect 4 'executed nothing: it speaks versions 3 to 4, this is version 2: upgrade this justhungry' \
		--frontend $(head -n 1 "$LOGS/peer.log") --timeout 20 $command"
	! grep -q unknown <<<"$OUT$ERR" || fail "$command: what was not executed is called unknown: $OUT$ERR"
done

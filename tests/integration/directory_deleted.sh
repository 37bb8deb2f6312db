#!/bin/bash
# Rules 13 and 14: the data directory is deleted under a running backup, under the primary and under a replica that is
# alone, with orders coming. Orders continue wherever another copy serves, no acknowledged one is lost, and status says
# what happened.
source "$(dirname "$0")/lib.sh"

says() { # ID PATTERN: status tells it of that replica
	status_json | jq -e ".replicas[] | select(.id == $1) | .detail + .state | test(\"$2\")" >/dev/null 2>&1
}
form 3
start_load load 40 8
orders_flow 20 "at the beginning"
for who in backup primary; do
	case $who in
	backup) victim=$(a_backup) ;;
	primary) victim=$(primary) ;;
	esac
	rm -r "$(replica_dir "$victim")"
	wait_for 10 "status to say what became of replica $victim ($who)" says "$victim" 'deleted or moved while it ran'
	orders_flow 10 "without replica $victim ($who)"
	wait_for 10 "another primary" status_is ".primary > 0 and .primary != $victim"
	log_says "replica-$victim" 'data directory .* was deleted or moved while it ran' || fail "the log does not say it"
	kill9 "$victim"
	start_replica "$victim"
	wait_for 30 "replica $victim to be a backup again" role_is "$victim" backup
done
finish load
wait_for 20 "equal digests on all three" members_level 3

# Alone: what it held is gone with its directory, but nothing more is acknowledged, and it says why.
last=$(primary)
for id in 1 2 3; do
	((id == last)) || kill9 "$id"
done
expect 0 'Order [0-9]+ \(#' --timeout 20 order "DH1 3LE" "to the last copy"
rm -r "$(replica_dir "$last")"
try --timeout 3 order "DH1 3LE" "to nowhere"
((STATUS == 4 || STATUS == 5)) || fail "an order on a deleted directory: status $STATUS: $OUT"
wait_for 10 "status to say what became of replica $last" says "$last" 'deleted or moved while it ran'
kill9 "$last"
stop frontend

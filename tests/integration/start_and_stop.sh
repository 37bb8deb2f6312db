#!/bin/bash
# How a replica starts and ends: what it registers, the history it begins with, its report of a directory with files
# missing, and a stop that is requested twice.
source "$(dirname "$0")/lib.sh"

SERVER=$JH_BUILD/server/justhungry-server
registered() { rpcinfo | awk -v program="$((BASE + $1))" '$1 == program { print $3, $4 }'; } # ID: netid, universal address
ready() { grep -q '^ready ' "$LOGS/$1.log" "$LOGS/$1.out" 2>/dev/null; }
begin() { # NAME ID OPTION...
	local name=$1 id=$2
	shift 2
	launch "$name" "$SERVER" --id "$id" --data-dir "$(replica_dir "$id")" --program-base "$BASE" "${SERVER_OPTIONS[@]}" "$@"
	wait_for 20 "$name to be ready" ready "$name"
}

# rpcbind takes one address of a kind: the first is registered, the others only listen.
begin several 1 --listen 127.0.0.1 --listen 127.0.0.2
[[ $(registered 1) == 'tcp 127.0.0.1.'* && $(registered 1 | wc -l) == 1 ]] || fail "registered: $(registered 1)"
stop several
[[ -z $(registered 1) ]] || fail "an orderly stop leaves $(registered 1)"

# What is advertised is registered and nothing else, with the port of the listener.
begin advertised 2 --listen 127.0.0.1 --listen '[::1]' --advertise 127.0.0.9
[[ $(registered 2) == 'tcp 127.0.0.9.'* && $(registered 2 | wc -l) == 1 ]] || fail "registered: $(registered 2)"
stop advertised
launch no-port "$SERVER" --id 2 --data-dir "$(replica_dir 2)" --program-base "$BASE" --listen 127.0.0.1 --advertise '[::1]'
ends no-port '[1-9]' 'needs a port'

# Rule 20: of two with one id the first stays, and so does its registration when the second has ended.
begin first-of-two 4
entry=$(registered 4)
launch second-of-two "$SERVER" --id 4 --data-dir "$SCRATCH/second-of-two" --program-base "$BASE"
ends second-of-two 1 "error .*program $((BASE + 4)) is served at 127.0.0.1:[0-9]+"
[[ $(registered 4) == "$entry" ]] || fail "registered: $(registered 4), not $entry"
stop first-of-two
[[ -z $(registered 4) ]] || fail "an orderly stop leaves $(registered 4)"

# A replica keeps its initial history forever, whatever the options of a later start say.
printf 'DH1 3LE\tAnn\tsoup\nDH1 3LE\t\tbread\n' >"$SCRATCH/orders"
begin first-history 3 --initial-orders "$SCRATCH/orders"
stop first-history
digest_of() { "$SERVER" --check "$(replica_dir "$1")" | jq -r .digest; }
first=$(digest_of 3)
begin later-history 3
stop later-history
[[ $(digest_of 3) == "$first" ]] || fail "another history after a start without --initial-orders"
"$SERVER" --check "$(replica_dir 3)" | jq -e '.damaged == false' >/dev/null || fail "damaged by a start without --initial-orders"
[[ $(digest_of 1) != "$first" ]] || fail "the file of --initial-orders made no difference"

# Files that are missing are damage, and a damaged directory is left as it is until the view manager has spoken.
for missing in snapshot- journal-0; do
	rm -rf "$SCRATCH/copy"
	cp -a "$(replica_dir 3)" "$SCRATCH/copy"
	rm "$SCRATCH/copy/$missing"*
	[[ $missing == snapshot- ]] || mv "$SCRATCH/copy"/snapshot-* "$SCRATCH/copy/snapshot-00000000000000000007"
	cp -a "$SCRATCH/copy" "$SCRATCH/before"
	try_check() { "$SERVER" --check "$SCRATCH/copy" >"$LOGS/check.json" 2>&1; }
	! try_check || fail "--check finds nothing wrong without $missing*: $(<"$LOGS/check.json")"
	launch "without-$missing" "$SERVER" --id 3 --data-dir "$SCRATCH/copy" --program-base "$BASE"
	wait_for 20 "the damage to be noticed" log_says "without-$missing" 'damaged, serving nothing'
	stop "without-$missing"
	diff -r -x lock "$SCRATCH/before" "$SCRATCH/copy" || fail "a damaged directory was written to"
	rm -rf "$SCRATCH/before"
done

# Stopped twice, a primary that waits for a successor ends at once.
form 3
leader=$(primary)
signal STOP frontend
signal TERM "replica-$leader"
wait_for 10 "the primary to begin its stop" log_says "replica-$leader" 'stopping'
signal TERM "replica-$leader"
wait_for 10 "the primary to go at once" log_says "replica-$leader" 'asked twice'
join "$leader"
((STATUS == 0)) || fail "status $STATUS after two SIGTERM"
signal CONT frontend

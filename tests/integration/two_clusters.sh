#!/bin/bash
# Clusters whose program bases are less than 4,096 apart, beside each other on one host, and services of other kinds
# among their numbers: none counts as a replica of the other. Each forms, is healthy, lists only its own, and logs once
# which it leaves alone; where a number is already taken, its owner is named.
source "$(dirname "$0")/lib.sh"

readonly FIRST=$BASE SECOND=$((BASE + 100)) THIRD=$((BASE - 3))

of() { # BASE COMMAND...: with the client, and what lib.sh starts, in that cluster
	local BASE=$1
	shift
	"$@"
}

launch_replica() { # BASE ID NAME OPTION...
	launch "$3" "$JH_BUILD/server/justhungry-server" --id "$2" --data-dir "$SCRATCH/$3" --program-base "$1" \
		"${SERVER_OPTIONS[@]}" "${@:4}"
}

launch_frontend() { # BASE NAME
	launch "$2" "$JH_BUILD/frontend/justhungry-frontend" --data-dir "$SCRATCH/$2" --program-base "$1" --new-cluster
}

lists() { # BASE ID...: healthy, with these and no other
	local base=$1
	shift
	of "$base" status_is '.health == "ok" and ([.replicas[].id] | sort) == ['"$(tr ' ' ',' <<<"$*")"']'
}

said_once() { # NAME PATTERN
	local count
	count=$(grep -c -E -- "$2" "$LOGS/$1.log") || true
	((count == 1)) || fail "$1 said $count times: $2"
}

# A service of another kind has a number of ours, and answers in none of our ways.
stranger() { # OFFSET WAY
	launch "stranger-$1" "$JH_BUILD/tests/integration/rejecting_peer" "$2" $((FIRST + $1))
	wait_for 10 "stranger $2" grep -q : "$LOGS/stranger-$1.log"
}

stranger 50 prog_mismatch
stranger 51 garbage_args
stranger 52 auth_error
stranger 53 no_rpc

# --- two clusters, the second of which has numbers among the first's ---------------------------------------------------

for id in 1 2; do
	launch_replica "$FIRST" "$id" "first-$id"
	launch_replica "$SECOND" "$id" "second-$id"
done
launch_frontend "$FIRST" first
of "$FIRST" jh --timeout 60 status --wait 2 >/dev/null || fail "the first did not form: $(of "$FIRST" status_json)"
launch_frontend "$SECOND" second
of "$SECOND" jh --timeout 60 status --wait 2 >/dev/null || fail "the second did not form: $(of "$SECOND" status_json)"
wait_for 20 "the first to be healthy, and to list its own" lists "$FIRST" 1 2
wait_for 20 "the second to be healthy, and to list its own" lists "$SECOND" 1 2
of "$FIRST" expect 0 placed order "DH1 3LE" pizza
of "$SECOND" expect 0 placed order "DH1 3LE" pizza
for id in 50 51 52 53; do
	wait_for 20 "a word about stranger $id" log_says first "program $((FIRST + id)) at .* is a service of another kind"
done

# The cluster that started second logs the numbers and what to do.
wait_for 20 "the first's word" log_says first "$FIRST cuts into .* --program-base $SECOND"
wait_for 20 "the second's word" log_says second "$SECOND cuts into .* --program-base $FIRST,.*give one of the two"
launch_replica "$SECOND" 3 second-3
wait_for 20 "a replica's word" log_says second-3 "$SECOND cuts into .* --program-base $FIRST"
of "$SECOND" jh --timeout 60 status --wait 3 >/dev/null || fail "replica 3 was not taken in"
wait_for 20 "the first to list its own still" lists "$FIRST" 1 2

# --- a number that is taken ---------------------------------------------------------------------------------------------

launch_replica "$FIRST" 101 collides
ends collides 1 "program $((SECOND + 1)) is served at .* by replica 1 of the cluster with --program-base $SECOND"
launch_frontend $((FIRST + 1)) other-frontend
ends other-frontend 1 "program $((FIRST + 1)) is served at .* by replica 1 of the cluster with --program-base $FIRST"
of $((FIRST + 1)) expect 4 "is replica 1 of .* $FIRST .*check --frontend and --program-base" status
! grep -q 'start each' <<<"$OUT$ERR" || fail "status advises to start another cluster: $OUT$ERR"
of $((FIRST + 1)) expect 4 "program $((FIRST + 1)) at .* is replica 1 of .* $FIRST .*check --frontend and --program-base" order "DH1 3LE" pizza
launch_replica "$THIRD" 3 at-the-base
ends at-the-base 1 "program $FIRST is served at .* by the front-end of the cluster with --program-base $FIRST"

# --- without its front-end, status asks each replica, and takes no other cluster's for ours -----------------------------------

stop first
of "$FIRST" try status
((STATUS == 4)) || fail "status without a front-end ended with $STATUS"
of "$FIRST" status_is '.summary | test("heard the last one at .* ago\\)")' || fail "cut: $(of "$FIRST" status_json)"
of "$FIRST" status_is '[.replicas[].id] == [1, 2]' || fail "without a front-end: $(of "$FIRST" status_json)"
! grep -q -E "replica (3|50|10[0-9]) " <<<"$OUT$ERR" || fail "a stranger is named: $OUT$ERR"

for name in first second; do
	said_once "$name" "cuts into"
done
for id in 50 51 52 53; do
	said_once first "program $((FIRST + id)) at .* is a service"
done

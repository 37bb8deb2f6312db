#!/bin/bash
# What is refused when it is applied stays refused: at every replica, after a restart of all, at one that got the whole history in
# a push, and after the primary was killed, each repeat is told the same, and other content under the number is told so. Nobody
# is ever given what is not there. A refusal by the applied state alone speaks for its call only.
source "$(dirname "$0")/lib.sh"

NEWER=$JH_BUILD/tests/newer/build
PROGRAMS=$NEWER/justhungry

count() { "$NEWER/counter_client" "$BASE"; }
told() { # LINE PATTERN: one request, and all that it is told
	local line client request
	line=$(count <<<"$1") || fail "$1: no answer"
	read -r client request _ <<<"$1"
	grep -q -x -E "$client $request $2" <<<"$line" || fail "$1: told '$line', not '$2'"
}
level() { wait_for 60 "three level members" members_level 3; }

form 3

# --- several at once for the last ones -------------------------------------------------------------------------------------

CLIENTS=6 REQUESTS=60
asks() { # CLIENT FIRST NUMBER OTHER: two take and one gives, of two numbers
	local request
	for ((request = $2; request < $2 + REQUESTS; request++)); do
		echo "$1 $request $((request % 2 ? $3 : $4)) $((request % 3 == 0 ? 1 : -1))"
	done
}
begin_round() { # NAME FIRST NUMBER OTHER: of all clients
	local n
	for ((n = 1; n <= CLIENTS; n++)); do
		asks "$1-$n" "${@:2}" >"$SCRATCH/asks-$1-$n-$2"
		# shellcheck disable=SC2016 # expanded by that shell
		OUTPUT=$SCRATCH/errors launch "$1-$n" "$BASH" -c 'exec "$1" "$2" <"$3" >"$4"' - "$NEWER/counter_client" "$BASE" \
			"$SCRATCH/asks-$1-$n-$2" "$SCRATCH/told-$1-$n-$2"
	done
}
end_round() { # NAME REFUSAL: asked and told hold all rounds of that name
	local n what
	for ((n = 1; n <= CLIENTS; n++)); do
		join "$1-$n"
		((STATUS == 0)) || fail "$1-$n ended with status $STATUS: $(cat "$SCRATCH/errors")"
	done
	cat "$SCRATCH/asks-$1"-* >"$SCRATCH/asked"
	cat "$SCRATCH/told-$1"-* >"$SCRATCH/told"
	cut -d ' ' -f 3-5 "$SCRATCH/told" | sort | uniq -c
	! grep -v -x -E "$1-[0-9]+ [0-9]+ (done final 0 [1-9][0-9]* [0-9]+|$2)" "$SCRATCH/told" >&2 || fail "neither done nor '$2'"
	for what in "done" refused; do
		(($(grep -c " $what " "$SCRATCH/told") >= 20)) || fail "hardly any was $what"
	done
	values_add_up
}

# In the order of the ops that were told, each value is the one before it, changed as asked: so none was lost or done twice, and
# none was refused for good and done all the same.
values_add_up() {
	paste -d ' ' "$SCRATCH/asked" "$SCRATCH/told" | awk '$7 == "done" { print $10, $3, $4, $11 }' | sort -n |
		awk '{ sum[$2] += $3 } sum[$2] != $4 || $4 < 0 { print "op", $1, "left", $4, "and not", sum[$2]; exit 1 }' ||
		fail "the values do not add up"
}
# Whoever answers tells every repeat what the first call was told.
repeats_are_told_the_same() { # WHEN
	count <"$SCRATCH/asked" >"$SCRATCH/again" || fail "$1: no answer"
	diff "$SCRATCH/told" "$SCRATCH/again" >&2 || fail "$1: repeats are told something else"
	told "$REFUSED 9 7" 'key_reused final 4 [1-9][0-9]*' # other content
	told "$REFUSED void" 'done final 0 0'                # nothing stands under it, which is all that a VOID asks
	told "$DONE void" "refused final 11 $DONE_OP"
}

# Numbers below 8 are looked at before the log: who might be refused by it waits until it is applied, and is refused for this call
# only.
op_of() { count <<<"$1" | cut -d ' ' -f 6; } # LINE: which is done
first=$(op_of 'shop 1 7 1')
begin_round waiting 1 3 4
end_round waiting 'refused - 1 0 0'
last=$(op_of 'shop 2 7 1')
((last - first - 1 == $(grep -c ' done ' "$SCRATCH/told"))) || fail "what was refused by the applied state is in the log, too"
told 'shop 3 5 -1' 'refused - 1 0 0'
told 'shop 3 5 -1' 'refused - 1 0 0'
told 'keeper 1 5 1' 'done final 0 [0-9]+ 1'
told 'shop 3 5 -1' 'done final 0 [0-9]+ 0'

# The others are left to the log.
begin_round kept 1 8 9
end_round kept 'refused final 1 0 0'
REFUSED=$(grep -m 1 ' refused ' "$SCRATCH/told" | cut -d ' ' -f 1,2)
read -r client request _ _ _ DONE_OP _ < <(grep -m 1 ' done ' "$SCRATCH/told")
DONE="$client $request"
repeats_are_told_the_same "at once"

# --- afterwards, and elsewhere ----------------------------------------------------------------------------------------------

level
for id in 1 2 3; do
	expect 0 "replica $id is (already )?the primary" switchover "$id"
	repeats_are_told_the_same "by replica $id"
done

kill9 1 2 3
for id in 1 2 3; do
	start_replica "$id"
done
wait_for 60 "the cluster to serve" serving
level
repeats_are_told_the_same "after a restart of all"

id=$(a_backup)
kill9 "$id"
rm -r "$(replica_dir "$id")"
start_replica "$id"
level
expect 0 "replica $id is (already )?the primary" switchover "$id"
repeats_are_told_the_same "by a replica that began with nothing"

# The primary is killed while they ask on.
before=$(op_of_cluster)
begin_round kept 1001 8 9
wait_for 20 "more operations" op_reached $((before + 50))
id=$(primary)
kill9 "$id"
end_round kept 'refused final 1 0 0'
wait_for 20 "the cluster to serve" serving
repeats_are_told_the_same "by the next primary"
start_replica "$id"
level

# Each directory says the same of every operation, and has as many refused ones as clients were told of.
stop frontend 1 2 3
! grep -h 'from the operations differ' "$LOGS"/replica-*.log || fail "two replicas computed differently"
for id in 1 2 3; do
	"$PROGRAMS/server/justhungry-server" --json --check "$(replica_dir "$id")" >"$SCRATCH/check" ||
		fail "--check: $(tail -n 1 "$SCRATCH/check")"
	jq -c 'select(.outcome) | [.op, .request, .kind, .content, .outcome, .fold]' "$SCRATCH/check" >"$SCRATCH/became-$id"
	diff "$SCRATCH/became-1" "$SCRATCH/became-$id" >&2 || fail "replicas 1 and $id do not say the same"
done
kept=$(grep -c '"refused"' "$SCRATCH/became-1")
((kept == $(grep -c ' refused final ' "$SCRATCH/told"))) || fail "$kept operations were refused, and other numbers were told"

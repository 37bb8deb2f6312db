#!/bin/bash
# Hostile peers, at the front-end and at replicas: absurd lengths, thousands of connections, partial records of
# megabytes, endless calls whose answers are not read, hellos of another cluster, pushes and views from a process that
# is no member. Meanwhile orders flow without an error, memory stays within its limit, and afterwards all members are
# equal.
#
# The limit: a daemon holds at most LIMIT_HELD_BYTES (256 MiB) for partial records and unread answers of all its peers
# together; requests in hand (8,192 of at most 8 KiB) and connections (4,608 of about 2 KiB) come on top. So its
# resident memory grows by less than GROWTH_MAX.
source "$(dirname "$0")/lib.sh"

# A build with ASan keeps what was freed for a while: that is not what is measured here.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
readonly GROWTH_MAX_KB=$((400 * 1024))

port_of() { rpcinfo -p | awk -v program="$1" '$1 == program && $3 == "tcp" { print $4; exit }'; }
rss_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/${PIDS[$1]}/status"; }

# attack OFFSET ATTACK [COUNT]: on the daemon of that program number, in the foreground; must succeed.
attack() {
	"$JH_BUILD/tests/integration/hostile_peer" "$(port_of $((BASE + $1)))" $((BASE + $1)) "${@:2}" >>"$LOGS/hostile.log" ||
		fail "hostile_peer ${*:2} at program base + $1: $(tail -n 1 "$LOGS/hostile.log")"
}

# attack_and_hold NAME OFFSET ATTACK COUNT: in the background, until it holds what it has.
attack_and_hold() {
	launch "$1" "$JH_BUILD/tests/integration/hostile_peer" "$(port_of $((BASE + $2)))" $((BASE + $2)) "${@:3}"
	wait_for 60 "$1 to hold" grep -q -s ': ' "$LOGS/$1.log"
	! log_says "$1" FAILED || fail "$(cat "$LOGS/$1.log")"
	echo "$1: $(cat "$LOGS/$1.log")"
}

# within NAME WHAT: its memory has grown by less than the bound.
declare -A RSS_BEFORE=()
within() {
	local grown=$(($(rss_kb "$1") - RSS_BEFORE[$1]))
	echo "$1 after $2: grown by $((grown / 1024)) MiB"
	((grown < GROWTH_MAX_KB)) || fail "$1 after $2: resident memory has grown by $grown kB, the bound is $GROWTH_MAX_KB"
}

form 3
# Answers worth not reading: 40 orders of nearly the largest size to one postcode.
long_item=$(printf 'x%.0s' {1..128})
items=()
for ((i = 0; i < 32; i++)); do
	items+=("$long_item")
done
for ((i = 0; i < 40; i++)); do
	jh order "DH1 3LE" "${items[@]}" >/dev/null
done
for name in frontend replica-1 replica-2 replica-3; do
	RSS_BEFORE[$name]=$(rss_kb "$name")
done
start_load load 120 8
primary=$(primary)
backup=$(a_backup)

attack 0 lengths-frontend
for id in 1 2 3; do
	attack "$id" lengths-replica
	attack "$id" hellos "$BASE"
	attack "$id" stranger "$BASE"
done

# 200 records of nearly 4 MiB each are 800 MiB; 6,000 of 60 kB, 360 MB, on more connections than are kept.
attack_and_hold halves 0 half-records 200
within frontend "200 half records of 4 MiB"
kill9 halves
attack_and_hold small-halves 0 small-halves 6000
within frontend "6,000 half records of 60 kB"
kill9 small-halves
attack_and_hold replica-halves "$backup" half-records 200
within "replica-$backup" "200 half records of 4 MiB"
kill9 replica-halves

attack_and_hold churn 0 churn 20000
within frontend "20,000 connections"
kill9 churn

for ((i = 0; i < 12; i++)); do
	attack_and_hold "never-reads-$i" 0 never-reads 60
done
expect 0 'Order [0-9]+ \(#1 for DH1 1AB\)' order "DH1 1AB" "in the midst of it"
within frontend "12 peers that read no answer"
within "replica-$primary" "12 peers that read no answer"
for ((i = 0; i < 12; i++)); do
	kill9 "never-reads-$i"
done

attack_and_hold flood "$primary" hello-flood "$BASE"
within "replica-$primary" "400 hellos"
kill9 flood

finish load
wait_for 20 "equal digests on all three" members_level 3
for name in frontend replica-1 replica-2 replica-3; do
	within "$name" "everything"
done
# No order was dated at the end of time.
expect 0 'Order [0-9]+ \(#[0-9]+ for DH1 3LE\)' order "DH1 3LE" "after all that"
jh --json history --limit 1 "DH1 3LE" | jq -e '.orders[0].time < "2200"' >/dev/null || fail "an order is dated: $(jh --json history --limit 1 "DH1 3LE")"

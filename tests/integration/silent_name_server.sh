#!/bin/bash
# A name server that never answers: an order waits at most the one deadline of the postcode check, is accepted as
# format-only, and nothing else is delayed, reads and the event loop least of all.
source "$(dirname "$0")/lib.sh"
needs_own_host

# An address of our own that swallows everything: packets to it leave through an interface that leads nowhere.
ip link add nowhere type veth peer name void
ip link set void up
ip link set nowhere up
ip address add 192.0.2.1/24 dev nowhere
ip route add default via 192.0.2.254
ip neighbour add 192.0.2.254 lladdr 02:00:00:00:00:01 dev nowhere
ip neighbour add 192.0.2.53 lladdr 02:00:00:00:00:02 dev nowhere
echo 'nameserver 192.0.2.53' >"$SCRATCH/resolv.conf"
mount --bind "$SCRATCH/resolv.conf" /etc/resolv.conf
SERVER_OPTIONS=()

form 3
before=$SECONDS
try --json order "DH1 3LE" soup
((STATUS == 0)) || fail "order: status $STATUS $OUT $ERR"
jq -e '.check == "format-only"' <<<"$OUT" >/dev/null || fail "check: $OUT"
((SECONDS - before <= 4)) || fail "one order took $((SECONDS - before)) s"
before=$SECONDS
for postcode in "DH1 1AA" "DH1 1AB" "DH1 1AD" "DH1 1AE" "DH1 1AF" "DH1 1AG"; do
	expect 0 placed order "$postcode" soup
	expect 0 . history "$postcode"
done
((SECONDS - before <= 8)) || fail "six more orders took $((SECONDS - before)) s"
[[ $(primary) == "$(status_get '.replicas[] | select(.role == "primary") | .id')" ]] || fail "no primary: $(status_json)"
wait_for 10 "equal digests on all three" members_level 3

# The new primary does not find out again, with everybody waiting, that nobody can be asked: less than one deadline of 1
# s.
start_load load 10
kill9 "$(primary)"
orders_flow 50 again
finish load
jq -e '.max_gap_us < 800000' "$SCRATCH/load.json" >/dev/null || fail "an order waited for a provider again"
kill9 frontend

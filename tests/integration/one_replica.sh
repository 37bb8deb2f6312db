#!/bin/bash
# One replica takes orders, numbers them within their postcode after the history it was loaded with, and keeps
# everything across an orderly stop and a kill -9.
source "$(dirname "$0")/lib.sh"

form 1
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order --customer Ada "dh1  3le" burger "garlic bread"
expect 0 'Order [0-9]+ \(#1 for EC1A 1BB\) placed' order ec1a1bb soup
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' order "DH1 3LE" pizza

history_is() { # FILTER
	try --json history "DH1 3LE"
	((STATUS == 0)) && jq -e "$1" <<<"$OUT" >/dev/null
}
all_there='.postcode == "DH1 3LE" and .total == 4 and ([.orders[].number] == [1, 2, 3, 4]) and
	.orders[0].items == ["burger", "fries"] and .orders[2].items == ["burger", "garlic bread"] and
	.orders[2].customer == "Ada" and .orders[3].items == ["pizza"] and
	.orders[2].op < .orders[3].op and .op >= .orders[3].op'
history_is "$all_there" || fail "history: $OUT"
try --json history --limit 2 "DH1 3LE"
jq -e '.total == 4 and ([.orders[].number] == [3, 4])' <<<"$OUT" >/dev/null || fail "the newest two: $OUT"
try --json history "ZE1 0AA"
((STATUS == 0)) || fail "no orders: status $STATUS"
jq -e '.total == 0 and .orders == []' <<<"$OUT" >/dev/null || fail "no orders: $OUT"

stop 1
start_replica 1
wait_for 20 "the stopped replica to serve again" serving
history_is "$all_there" || fail "history after an orderly stop: $OUT"

kill9 1
start_replica 1
wait_for 20 "the killed replica to serve again" serving
history_is "$all_there" || fail "history after kill -9: $OUT"
expect 0 'Order [0-9]+ \(#5 for DH1 3LE\) placed' order "DH1 3LE" "one more"
stop frontend 1

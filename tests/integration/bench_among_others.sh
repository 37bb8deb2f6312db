#!/bin/bash
# The orders of bench stay in the cluster, so they go among other people's orders only with explicit consent; its own,
# however many and wherever, and those that a replica was loaded with, do not count.
source "$(dirname "$0")/lib.sh"

form 1
bench() { "$@" bench --clients 4 --orders 300; }
refused() { # COUNT
	local op
	op=$(op_of_cluster)
	bench expect 3 "nothing was ordered: this cluster holds $1 that (is|are) not bench's.*--yes" --timeout 20
	(($(wc -l <<<"$ERR") == 1)) || fail "more than a line: $ERR"
	[[ $(op_of_cluster) == "$op" ]] || fail "bench ordered all the same"
}

bench expect 0 acknowledged
bench expect 0 acknowledged                                           # more than a page of its own
expect 0 acknowledged bench --clients 4 --orders 60 --postcodes 50    # elsewhere, too
bench expect 0 acknowledged
expect 0 placed order "DH1 3LE" "somebody's pizza"
refused "1 order"
expect 0 placed order --customer bench "EC1A 1BB" "spicy fried wing" "chips, vinegar and salt"
expect 0 placed order "NE1 0AA" soup
refused "3 orders"
try --json bench --orders 1
jq -e '.outcome == "refused" and (.error | contains("--yes"))' <<<"$OUT" >/dev/null || fail "JSON does not say it: $OUT"
expect 0 'reads' bench --clients 4 --seconds 0.1 --reads 100          # orders nothing
expect 0 acknowledged bench --yes --clients 4 --orders 10
refused "3 orders"
stop frontend 1

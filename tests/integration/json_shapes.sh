#!/bin/bash
# The JSON that docs/operations.md promises, with the front-end running and without: every key is there and of its type.
source "$(dirname "$0")/lib.sh"

shape() { # FILTER COMMAND...: STATUS is free, the output must be one JSON value that FILTER holds of
	local filter=$1
	shift
	try --json "$@"
	jq -e -s "length == 1 and (.[0] | $filter)" <<<"$OUT" >/dev/null || fail "justhungry --json $*: $OUT"
}
has() { printf 'has("%s") and ' "$@"; } # KEY...

form 3
shape "$(has outcome postcode number op time check client request reason final became error)"'
	.outcome == "done" and .reason == null and .final == true and .became == null and .postcode == "DH1 3LE" and .number == 3 and .op == 1 and (.time | test("^2.*Z$")) and
	.check == "format-only" and (.client | length == 36) and .request == 1 and .error == null' order "dh13le" soup
shape "$(has outcome postcode number op time check client request reason final became error)"'
	.outcome == "refused" and .reason == "invalid-postcode" and .final == false and .became == null and (.error | startswith("invalid postcode: "))' order "nowhere" soup
shape "$(has postcode total op orders)"'
	.total == 3 and .op == 1 and (.orders | length == 3) and
	(.orders[2] | has("number") and has("op") and has("time") and has("customer") and has("items") and has("client") and
		has("request")) and .orders[0].time == null and .orders[0].client == null and .orders[2].items == ["soup"]' \
	history "DH1 3LE"
wait_for 10 "equal digests on all three" members_level 3
shape "$(has cluster health view primary frontend replicas accepts_orders why_not copies expected)"'
	.accepts_orders == true and .why_not == null and .copies == 3 and .expected == 3 and
	(.replicas | all(has("lost_since") and .expected == true and .managed == true and .frontend_age_ms >= 0)) and
	(.cluster | length == 36) and .health == "ok" and .view >= 1 and (.frontend | startswith("127.0.0.1:")) and
	(.replicas | length == 3) and ([.replicas[].role] | sort == ["backup", "backup", "primary"]) and
	(.replicas | all(has("id") and has("state") and has("op") and has("commit") and has("digest") and has("digest_op") and
		has("address") and has("age_ms") and has("uptime_s") and .op == 1 and .commit == 1))' status
shape "$(has orders_per_second reads_per_second p50_us p99_us p999_us max_gap_us errors refused clients seconds)"'
	.errors == 0 and .refused == 0 and .clients == 4 and .orders_per_second > 0 and .reads_per_second > 0 and .p50_us <= .p99_us and
	.p99_us <= .p999_us and .p999_us <= .max_gap_us' bench --yes --clients 4 --seconds 1 --reads 50

# No replica to take orders: the front-end says why.
kill9 1 2 3
shape '.health == "unavailable" and .accepts_orders == false and .why_not == .summary and .primary == null and .outcome == "unavailable" and .error == .summary and
	(.error | length > 0) and (.frontend | startswith("127.0.0.1:"))' status
((STATUS == 4)) || fail "status without a primary: $STATUS"
# A bench says that no answers arrive, and does not outlast its end by a long --timeout.
SECONDS=0
shape '.outcome == "unknown" and .orders == 0 and .errors == 2 and .seconds >= 5 and .max_gap_us > 4000000' \
	--timeout 60 bench --yes --clients 2 --seconds 1
((STATUS == 5 && SECONDS < 30)) || fail "bench without a primary: $STATUS after $SECONDS s"
[[ $ERR == *"no client has been answered for 2 s"* ]] || fail "bench without a primary says: $ERR"
shape '.orders == 0 and .errors >= 2 and .seconds < 30' --timeout 3 bench --yes --clients 2 --orders 100000
# A front-end that has not heard of a member yet has no facts to show.
kill9 frontend
start_frontend
wait_for 20 "the front-end to answer" status_is '.frontend != null'
shape '.replicas | length == 3 and all(.op == null and .commit == null and .digest == null and .digest_op == null and
	.age_ms == null and .orders == null and .uptime_s == null and .view == null)' status
try status
grep -q -E '^ 1 .* - +- +- +- ' <<<"$OUT" || fail "a replica that was never heard of is shown as: $OUT"
for id in 1 2 3; do
	start_replica "$id"
done
jh --timeout 20 status --wait 3 >/dev/null || fail "not up again: $(status_json)"

# Without the front-end each replica is asked.
kill9 frontend
shape '.health == "unavailable" and .frontend == null and (.replicas | length == 3) and (.replicas | all(.op > 0 and .age_ms >= 0))' status
((STATUS == 4)) || fail "status without a front-end: $STATUS"
shape '.outcome == "unavailable" and (.error | test("justhungry-frontend"))' --timeout 1 order "DH1 3LE" soup
((STATUS == 4)) || fail "order without a front-end: $STATUS"

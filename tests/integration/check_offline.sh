#!/bin/bash
# --check verifies a copy of a data directory offline, prints its id and how far it is, and changes nothing; a backup
# restored from such a copy serves its orders as a new cluster.
source "$(dirname "$0")/lib.sh"

form 3
for number in 3 4 5; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LE\) placed" order "DH1 3LE" "item $number"
done
wait_for 10 "equal digests on all three" members_level 3
digest=$(status_get '.replicas[0].digest')
stop frontend 1 2 3
cp -a "$(replica_dir 1)" "$SCRATCH/copy"
"$JH_BUILD/server/justhungry-server" --check "$SCRATCH/copy" >"$LOGS/check.json" || fail "--check: $(<"$LOGS/check.json")"
diff -r --exclude lock "$(replica_dir 1)" "$SCRATCH/copy" || fail "--check changed the copy"
# The commit mark on disk may be one batch behind; the digest is that of the whole log.
jq -e --arg digest "$digest" '.id == 1 and (.uuid | length == 36) and .view >= 1 and .op == 3 and .commit <= 3 and
	.digest == $digest and .format == 3 and .fold != .digest and (.fold | length == 32) and .damaged == false' "$LOGS/check.json" >/dev/null || fail "--check: $(<"$LOGS/check.json")"

# What stands in the log, and what it became, before that line; also that is for --check alone.
"$JH_BUILD/server/justhungry-server" --json --check "$SCRATCH/copy" >"$LOGS/operations.json" || fail "--check --json: $(<"$LOGS/operations.json")"
diff -r --exclude lock "$(replica_dir 1)" "$SCRATCH/copy" || fail "--check --json changed the copy"
tail -n 1 "$LOGS/operations.json" | diff "$LOGS/check.json" - || fail "--json changes the last line"
jq -s -e --slurpfile last "$LOGS/check.json" '[.[] | select(.kind == "order")] | length == 7 and ([.[].op] == [0, 0, 0, 0, 1, 2, 3]) and
	([.[] | select(.content.postcode == "DH1 3LE") | .outcome.values[0]] == [1, 2, 3, 4, 5]) and
	.[-1].content == {customer: "", postcode: "DH1 3LE", items: ["item 5"]} and .[-1].request == 1 and
	([.[] | select(.op > 0 and .committed)] | length == $last[0].commit) and
	.[-1].digest == $last[0].digest and .[-1].fold == $last[0].fold' "$LOGS/operations.json" >/dev/null ||
	fail "--check --json: $(<"$LOGS/operations.json")"
"$JH_BUILD/server/justhungry-server" --json >"$LOGS/usage" 2>&1 && fail "--json without --check is understood"
head -n 1 "$LOGS/usage" | grep -q -F -- '--json is for --check DIR' || fail "--json without --check: $(<"$LOGS/usage")"

# Restored as a new cluster: the copy alone, an empty front-end, and the operator's command. Then empty replicas learn.
rm -rf "$SCRATCH"/replica-* "$SCRATCH/frontend"
mv "$SCRATCH/copy" "$(replica_dir 1)"
start_replica 1
start_frontend
wait_for 20 "status to name the members of the copy's last view" unavailable_says 'waiting for replicas? .*2.*3'
expect 0 . promote --force 1
expect 0 'Order [0-9]+ \(#6 for DH1 3LE\) placed' --timeout 20 order "DH1 3LE" "after the restore"
start_replica 2
start_replica 3
jh --timeout 30 status --wait 3 >/dev/null || fail "no cluster of three: $(status_json)"
wait_for 10 "equal digests on all three" members_level 3

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
	.digest == $digest and .damaged == false' "$LOGS/check.json" >/dev/null || fail "--check: $(<"$LOGS/check.json")"

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

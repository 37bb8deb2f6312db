#!/bin/bash
# A fresh replica that was loaded with another history is overwritten (formation), also when it is killed between
# recording the replacement of its history and giving the received one its name: it comes back with everything it
# promised to hold, under its old uuid, and nothing is reported as damage.
source "$(dirname "$0")/lib.sh"

printf 'DH1 3LE\tAnn\tanother\n' >"$SCRATCH/other-orders"
form 1
start_replica 2 --initial-orders "$SCRATCH/other-orders"
directory=$(replica_dir 2)
snapshot=$directory/snapshot-00000000000000000000
wait_for 10 "replica 2 to have begun a history of its own" test -f "$snapshot"
stop 2
cp "$snapshot" "$SCRATCH/own"
start_replica 2
wait_for 20 "replica 2 to be a backup" role_is 2 backup
wait_for 10 "equal digests on both" members_level 2
uuid_of() { "$JH_BUILD/server/justhungry-server" --check "$directory" | jq -r .uuid; }
kill9 2
uuid=$(uuid_of)

# As the disk was at that moment.
cmp -s "$snapshot" "$SCRATCH/own" && fail "the primary's history has not replaced replica 2's own"
mv "$snapshot" "$directory/incoming.tmp"
cp "$SCRATCH/own" "$snapshot"
[[ $("$JH_BUILD/server/justhungry-server" --check "$directory" | jq -r .damaged) == false ]] ||
	fail "--check calls replica 2 damaged, which only had not put the state in its place yet"
start_replica 2
wait_for 20 "equal digests on both" members_level 2
expect 0 "Order [0-9]+ \(#3 for DH1 3LE\) placed" order "DH1 3LE" "after that"
stop 2
[[ $(uuid_of) == "$uuid" ]] || fail "replica 2 was taken for damaged: it gave up its uuid"
[[ ! -e $directory/set-aside ]] || fail "its files were set aside"

#!/bin/bash
# A replica whose data directory was wiped is another replica (rule 3): it comes back as a learner with a new uuid, is
# never promoted on what it does not hold, and is admitted only when it has everything.
source "$(dirname "$0")/lib.sh"

form 3
for number in 3 4 5; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LE\) placed" order "DH1 3LE" "item $number"
done
wiped=$(a_backup)
uuid_of() { "$JH_BUILD/server/justhungry-server" --check "$(replica_dir "$1")" | jq -r .uuid; }
kill9 "$wiped"
before=$(uuid_of "$wiped")
rm -rf "$(replica_dir "$wiped")"
start_replica "$wiped"
wait_for 30 "the wiped replica to be a backup again" role_is "$wiped" backup
wait_for 10 "equal digests on all three" members_level 3

# Now it holds everything: it alone must be able to serve.
for id in 1 2 3; do
	[[ $id == "$wiped" ]] || kill9 "$id"
done
expect 0 'Order [0-9]+ \(#6 for DH1 3LE\) placed' --timeout 30 order "DH1 3LE" "from the once wiped one"
[[ $(primary) == "$wiped" ]] || fail "primary is $(primary)"
stop "$wiped" frontend
after=$(uuid_of "$wiped")
[[ -n $before && -n $after && $before != "$after" ]] || fail "the uuid was '$before' and is '$after'"

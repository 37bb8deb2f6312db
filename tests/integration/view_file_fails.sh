#!/bin/bash
# Rules 2 and 13: a view that the front-end cannot store reaches no replica. Its directory is full when a member dies:
# orders wait, status says why, and freeing space cures it without a restart. Started on a full disk, it serves the view
# it has.
source "$(dirname "$0")/lib.sh"
needs_own_host

small=$SCRATCH/frontend
mkdir "$small"
mount -t tmpfs -o size=64k tmpfs "$small"
form 2
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" "two copies"
view=$(status_get .view)
dd if=/dev/zero of="$small/ballast" bs=4k status=none 2>/dev/null || true
kill9 "$(a_backup)"
expect '[45]' . --timeout 2 order "DH1 3LE" "waits for a view"
wait_for 10 "the front-end to say what is wrong" log_says frontend 'error .*No space left on device'
[[ $(status_get .view) == "$view" ]] || fail "a view that was not stored is told: $(status_json)"
for id in 1 2; do
	! log_says "replica-$id" "entering view=$((view + 1))" || fail "replica $id entered a view that was not stored"
done
rm "$small/ballast"
expect 0 'placed' --timeout 20 order "DH1 3LE" "there is room again"
(($(status_get .view) > view)) || fail "no new view: $(status_json)"

# Full again, without room for the name of the process either.
view=$(status_get .view)
kill9 frontend
: >"$small/lock"
dd if=/dev/zero of="$small/ballast" bs=4k status=none 2>/dev/null || true
start_frontend
expect 0 'placed' --timeout 20 order "DH1 3LE" "on a full disk"
[[ $(status_get .view) == "$view" ]] || fail "a view that was not stored is told: $(status_json)"
[[ ! -s $small/lock ]] || fail "the disk was not full: $(ls -l "$small")"

#!/bin/bash
# A data directory of another cluster, of another id, in use, not writable, of a newer format or damaged gets one line
# that says so: never a crash, and never a byte lost.
source "$(dirname "$0")/lib.sh"

form 3
for number in 3 4 5 6; do
	expect 0 "Order [0-9]+ \(#$number for DH1 3LE\) placed" order "DH1 3LE" "item $number"
done
wait_for 10 "equal digests on all three" members_level 3

# In use by a running process.
launch in-use "$JH_BUILD/server/justhungry-server" --id 1 --data-dir "$(replica_dir 1)" --program-base "$BASE"
ends in-use '[1-9]' 'in use|locked'

stop 3
kept=$SCRATCH/kept-3
cp -a "$(replica_dir 3)" "$kept"
restore() {
	rm -rf "$(replica_dir 3)"
	cp -a "$kept" "$(replica_dir 3)"
}

# Of another id.
launch other-id "$JH_BUILD/server/justhungry-server" --id 4 --data-dir "$(replica_dir 3)" --program-base "$BASE"
ends other-id '[1-9]' 'replica 3'
diff -r --exclude lock "$kept" "$(replica_dir 3)" || fail "a refused start changed the directory"

# Something that is no file where a file should be: no start waits for a writer of it.
for kind in pipe link directory; do
	journal=$(find "$(replica_dir 3)" -name 'journal-0*' | sort | tail -n 1)
	mv "$journal" "$SCRATCH/journal"
	case $kind in
	pipe) mkfifo "$journal" ;;
	link) ln -s "$SCRATCH/journal" "$journal" ;;
	directory) mkdir "$journal" ;;
	esac
	launch "$kind" "$JH_BUILD/server/justhungry-server" --id 3 --data-dir "$(replica_dir 3)" --program-base "$BASE"
	ends "$kind" 1 'journal-[0-9]+ is no regular file'
	timeout 20 "$JH_BUILD/server/justhungry-server" --check "$(replica_dir 3)" >/dev/null 2>&1 && fail "--check takes a $kind"
	(($? != 124)) || fail "--check waits for a $kind"
	restore
done
snapshot=$(find "$(replica_dir 3)" -name 'snapshot-0*')
rm "$snapshot"
mkfifo "$snapshot"
launch snapshot-pipe "$JH_BUILD/server/justhungry-server" --id 3 --data-dir "$(replica_dir 3)" --program-base "$BASE"
ends snapshot-pipe 1 'snapshot-[0-9]+ is no regular file'
restore

# Not a directory, not writable (root may write anywhere but here).
launch no-directory "$JH_BUILD/server/justhungry-server" --id 4 --data-dir /proc/nowhere --program-base "$BASE"
ends no-directory '[1-9]' '/proc/nowhere'
if ((EUID != 0)); then
	mkdir -m 500 "$SCRATCH/read-only"
	launch read-only "$JH_BUILD/server/justhungry-server" --id 4 --data-dir "$SCRATCH/read-only" --program-base "$BASE"
	ends read-only '[1-9]' 'read-only.*([Pp]ermission|writable)'
fi

# A directory with foreign files: a mistyped path. A disk of its own may have been made with a lost+found.
mkdir "$SCRATCH/elsewhere" "$SCRATCH/elsewhere/lost+found"
: >"$SCRATCH/elsewhere/passwd"
for daemon in "server/justhungry-server --id 4" frontend/justhungry-frontend; do
	# shellcheck disable=SC2086 # words
	launch elsewhere "$JH_BUILD"/$daemon --data-dir "$SCRATCH/elsewhere" --program-base $((BASE + 5000))
	ends elsewhere 1 "the data directory $SCRATCH/elsewhere holds other files \\(passwd\\) and none of ours"
	[[ $(ls "$SCRATCH/elsewhere") == $'lost+found\npasswd' ]] || fail "something was made among them"
	: >"$LOGS/elsewhere.log"
done
# A note beside our own files is fine.
: >"$(replica_dir 3)/note"

# A busy port: nothing is made before it is known.
port=$(status_get '.frontend | split(":") | last')
for daemon in "server/justhungry-server --id 4" frontend/justhungry-frontend; do
	# shellcheck disable=SC2086 # words
	launch busy "$JH_BUILD"/$daemon --data-dir "$SCRATCH/busy" --program-base $((BASE + 5000)) --listen "127.0.0.1:$port"
	ends busy 1 "cannot listen on 127.0.0.1:$port: .*: stop what listens there or choose another port"
	[[ -z $(ls -A "$SCRATCH/busy" 2>/dev/null) ]] || fail "something was made though listening is impossible: $(ls "$SCRATCH/busy")"
	: >"$LOGS/busy.log"
done

# Damaged in the middle of what was acknowledged: noticed, set aside, the uuid given up, and healed by the others.
newest_journal() { find "$(replica_dir 3)" -type f -name '*.journal' -o -type f -path '*journal*' | sort | tail -n 1; }
flip() { # FILE OFFSET: every bit of one byte
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf '%02x' $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
journal=$(newest_journal)
[[ -n $journal ]] || fail "no journal file found in $(ls -R "$(replica_dir 3)")"
text=$(grep -a -b -o -m 1 'item 4' "$journal" | head -n 1 | cut -d : -f 1)
[[ -n $text ]] || fail "item 4 is not in $journal"
flip "$journal" "$text"
try_check() { "$JH_BUILD/server/justhungry-server" --check "$(replica_dir 3)" >"$LOGS/check.json" 2>"$LOGS/check.err"; }
if try_check; then
	fail "--check finds nothing wrong in a damaged directory: $(<"$LOGS/check.json")"
fi
jq -e '.damaged | . != false and . != null' "$LOGS/check.json" >/dev/null || fail "--check says: $(<"$LOGS/check.json")"
start_replica 3
wait_for 30 "the damaged replica to be a backup again" role_is 3 backup
wait_for 10 "equal digests on all three" members_level 3
log_says replica-3 '[Dd]amage' || fail "the damaged replica does not say so"
find "$(replica_dir 3)/set-aside" -type f | grep -q . || fail "the damaged files were thrown away"

# Of another cluster: the front-end leaves it alone, the replica says so, the cluster continues.
stop 3
first_cluster=$(status_get .cluster)
FIRST_BASE=$BASE
BASE=$((BASE + 4096 < 1073741823 ? BASE + 5000 : BASE - 5000))
name_first() { PIDS[first-$1]=${PIDS[$1]} && unset "PIDS[$1]"; }
name_first frontend
name_first replica-1
start_replica 1 --data-dir "$SCRATCH/second-replica-1"
start_frontend --new-cluster --data-dir "$SCRATCH/second-frontend"
jh --timeout 20 status --wait 1 >/dev/null
[[ $(status_get .cluster) != "$first_cluster" ]] || fail "two clusters have one name"
stop 1 frontend
BASE=$FIRST_BASE
launch replica-1-foreign "$JH_BUILD/server/justhungry-server" --id 4 --data-dir "$SCRATCH/second-replica-1" \
	--program-base "$BASE"
ends replica-1-foreign '[1-9]' '.'
expect 0 'Order [0-9]+ \(#7 for DH1 3LE\) placed' order "DH1 3LE" "the first cluster goes on"

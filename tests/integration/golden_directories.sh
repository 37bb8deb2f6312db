#!/bin/bash
# Directories of each format, as the programs of their time left them (tests/golden/directories). Those of today's
# format are read correctly: --check prints their id and op, and a cluster started on them shows every order. Those of
# any other, older or newer, are refused with file and format, and not a byte of them is changed.
source "$(dirname "$0")/lib.sh"

golden=$(dirname "$0")/../golden/directories
server=$JH_BUILD/server/justhungry-server
BASE=541000000 # as in the files; starting on them needs a host of its own
journal=journal-00000000000000000001 snapshot=snapshot-00000000000000000000

# fresh FORMAT: copies, with the zeros that a journal's segment ends in.
fresh() {
	rm -rf "$(replica_dir 1)" "$SCRATCH/frontend" "$SCRATCH/before"
	cp -r "$golden/format-$1/replica-1" "$(replica_dir 1)"
	cp -r "$golden/format-$1/frontend" "$SCRATCH/frontend"
	chmod 700 "$(replica_dir 1)" "$SCRATCH/frontend"
	truncate -s 8M "$(replica_dir 1)/$journal"
}

# refused FILE FORMAT ADVICE COMMAND...: one line that names the file and its format, and nothing is touched.
refused() {
	local file=$1 format=$2 advice=$3 got=0
	shift 3
	rm -rf "$SCRATCH/before"
	cp -a "${file%/*}" "$SCRATCH/before"
	timeout 20 "$@" >"$LOGS/refused" 2>&1 || got=$?
	((got == 1)) || fail "$*: status $got: $(<"$LOGS/refused")"
	grep -q -F -- "$file" "$LOGS/refused" || fail "$*: does not name $file: $(<"$LOGS/refused")"
	grep -q -E -- "format $format[ ,:)]" "$LOGS/refused" || fail "$*: does not name format $format: $(<"$LOGS/refused")"
	grep -q -E -- "$advice" "$LOGS/refused" || fail "$*: no advice '$advice': $(<"$LOGS/refused")"
	! grep -q -i damage "$LOGS/refused" || fail "$*: calls it damage: $(<"$LOGS/refused")"
	(($(wc -l <"$LOGS/refused") == 1)) || fail "$*: more than a line: $(<"$LOGS/refused")"
	diff -r "$SCRATCH/before" "${file%/*}" || fail "$*: changed something"
}
replica_refuses() { # FILE FORMAT ADVICE
	refused "$(replica_dir 1)/$1" "$2" "$3" "$server" --check "$(replica_dir 1)"
	refused "$(replica_dir 1)/$1" "$2" "$3" "$server" --id 1 --data-dir "$(replica_dir 1)" --program-base "$BASE" \
		--postcode-check grammar
}
frontend_refuses() { # FORMAT ADVICE
	refused "$SCRATCH/frontend/view.json" "$1" "$2" "$JH_BUILD/frontend/justhungry-frontend" \
		--data-dir "$SCRATCH/frontend" --program-base "$BASE"
}

# --- this format ----------------------------------------------------------------------------------------------------

current=$(sed -n 's/^#define VIEW_FILE_FORMAT \([0-9]*\).*/\1/p' "$(dirname "$0")/../../frontend/keeper/view_file.h")
[[ -d $golden/format-$current ]] || fail "a new number needs a golden directory: tests/golden/directories/format-$current"
fresh "$current"
"$server" --check "$(replica_dir 1)" >"$LOGS/check.json" || fail "--check: $(<"$LOGS/check.json")"
diff "$golden/format-$current/check.json" "$LOGS/check.json" || fail "the directory of format $current no longer reads as it did"

# --- older and newer ones -------------------------------------------------------------------------------------------

for directory in "$golden"/format-*; do
	format=${directory##*-}
	((format < current)) || continue
	fresh "$format"
	replica_refuses "" "$format" 'older version.*empty --data-dir'
	frontend_refuses "$format" 'older version.*empty --data-dir'
done
newer=$((current + 1))
fresh "$current"
# shellcheck disable=SC2059 # the byte is the format
printf "\\x$(printf %02x "$newer")" | dd of="$(replica_dir 1)/$journal" bs=1 seek=8 conv=notrunc status=none
replica_refuses "$journal" "$newer" 'newer version.*upgrade justhungry-server'
for file in "$snapshot" incoming.tmp; do
	fresh "$current"
	[[ $file == "$snapshot" ]] || cp "$(replica_dir 1)/$snapshot" "$(replica_dir 1)/$file"
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x "$newer")" | dd of="$(replica_dir 1)/$file" bs=1 seek=11 conv=notrunc status=none
	replica_refuses "$file" "$newer" 'newer version.*upgrade justhungry-server'
done
sed -i -e "s/\"format\": $current/\"format\": $newer/" -e 's/"view":/"something new": {"of": [1, 2]}, "view":/' "$SCRATCH/frontend/view.json"
frontend_refuses "$newer" 'newer version.*upgrade justhungry-frontend'

# --- a cluster on them ----------------------------------------------------------------------------------------------

needs_own_host
fresh "$current"
start_replica 1
start_frontend
expect 0 'DH1 3LE: .*' --timeout 20 history "DH1 3LE"
grep -q 'margherita, crème brûlée' <<<"$OUT" || fail "an order is not shown: $OUT"
expect 0 'tea  \(for Ann\)' history "DH1 3LG"
# Whose it is, as others are shown it: by the cluster id of view.json, and the client id.
client=123e4567-e89b-42d3-a456-426614174000
bytes=$(jq -r --arg client "$client" '.cluster + $client' "$SCRATCH/frontend/view.json" | sed -e 's/-//g' -e 's/../\\x&/g')
# shellcheck disable=SC2059 # the bytes are in the format
shown=$(printf "$bytes" | sha256sum | sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/')
try --json history "SW1A 1AA"
jq -e --arg shown "$shown" '.orders | length == 1 and .[0].op == 3 and .[0].request == 7 and .[0].items == ["burger", "fries"] and
	.[0].client == $shown' <<<"$OUT" >/dev/null || fail "an order is another: $OUT"
# The number that was used then is used now.
expect 0 'Order 3 \(#1 for SW1A 1AA\) placed' order --client-id "$client" --request 7 "SW1A 1AA" burger fries
expect 3 'already used' order --client-id "$client" --request 7 "SW1A 1AA" tea

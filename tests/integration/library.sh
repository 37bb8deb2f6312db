#!/bin/bash
# docs/library.md is true: the example client, built as the document says from the .x files and libtirpc alone, is run
# through its tables against a scripted front-end; so is the client of this project. And the example against a real
# cluster: placed once, a request given up, a restart in doubt.
source "$(dirname "$0")/lib.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)
document=$root/docs/library.md
work=$SCRATCH/example
mkdir "$work"

# --- built as documented --------------------------------------------------------------------------------------------

build_example() {
	local line
	cp "$root"/client/example/place_order.c "$root"/rpc/{shop,frontend}.x "$work"
	# The commands of the section "Building", but for the copy.
	while read -r line; do
		(cd "$work" && eval "${line/#cc /cc -w }") >"$LOGS/build.log" 2>&1 || fail "the document's '$line': $(<"$LOGS/build.log")"
	done < <(sed -n '/^## Building/,/^## The rules/s/^    \(rpcgen\|cc\) /\1 /p' "$document")
	[[ -x $work/place_order ]] || fail "the commands of the document make no place_order"
}
build_example

# --- the tables -----------------------------------------------------------------------------------------------------

# "WORD|END" for each end in backquotes of the first table: an outcome with each of its reasons, or that it is final, or a clnt_stat.
ends() {
	sed -n '/^## What the end of one call means/,/^## What a sequence/p' "$document" | awk -F'|' '
		/^\| `/ {
			word = $3; gsub(/^ +| +$/, "", word)
			outcome = ""; found = 0
			while (match($2, /`[A-Za-z_ ]+`/)) {
				name = substr($2, RSTART + 1, RLENGTH - 2)
				$2 = substr($2, RSTART + RLENGTH)
				if (name ~ /^JH_REASON|^final$/) { print word "|" outcome " " name; found = 1 }
				else if (name == "not final") continue
				else if (name ~ /^JH/) outcome = name
				else print word "|" name
			}
			if (outcome != "" && !found) print word "|" outcome
		}'
}

# meaning EARLIER THEN: the cell of the second table.
meaning() {
	sed -n '/^## What a sequence/,/^## Asking/p' "$document" | awk -F' *\\| *' -v row="$1" -v column="$2" '
		$2 == "earlier calls" { for (i = 3; i < NF; i++) if ($i == column) at = i }
		$2 == row && at { print $at; found = 1 }
		END { exit !found }'
}

launch scripted "$JH_BUILD/tests/integration/scripted_frontend" "$BASE"
wait_for 10 "the scripted front-end" test -s "$LOGS/scripted.log"
address=$(head -n 1 "$LOGS/scripted.log")
declare -A STATUS_OF=([done]=0 [refused]=3 [unavailable]=4 [unknown]=5)
walked=0

# The example: rule by rule. What takes longer than a call may is the only one that waits.
walk_example() { # SCRIPT TRIES OUTCOME
	local got=0 seconds=20
	[[ $1 != *RPC_TIMEDOUT* ]] || seconds=0 # and the second that a call gets more
	rm -f "$work/state"
	"$work/place_order" "$work/state" 127.0.0.1 "$BASE" "$seconds" "$2" "DH1 3LE" pizza "$1" >"$LOGS/walk" 2>&1 || got=$?
	((got == ${STATUS_OF[$3]})) || fail "the example, after '$1': status $got, and the document says $3: $(<"$LOGS/walk")"
	walked=$((walked + 1))
}
# The client of this project asks until it knows, so only what ends by itself.
walk_client() { # SCRIPT OUTCOME
	local got=0
	"$JH_BUILD/client/justhungry" --frontend "$address" --program-base "$BASE" --timeout 30 order "DH1 3LE" pizza "$1" \
		>"$LOGS/walk" 2>&1 || got=$?
	((got == ${STATUS_OF[$2]})) || fail "justhungry, after '$1': status $got, and the document says $2: $(<"$LOGS/walk")"
	walked=$((walked + 1))
}

while IFS='|' read -r word end; do
	[[ $end != RPC_CANTSEND ]] || continue # cannot be caused
	told=$(meaning none "then $word") || fail "no cell for none, then $word"
	walk_example "$end" 1 "$told"
	case $word in
	done | never | refused) walk_client "$end" "$told" ;;
	esac
	told=$(meaning "in doubt" "then $word") || fail "no cell for in doubt, then $word"
	walk_example "RPC_CANTRECV;$end" 2 "$told"
	case $word in
	done | never | refused) walk_client "RPC_CANTRECV;$end" "$told" ;;
	esac
	[[ $end != RPC_TIMEDOUT ]] || continue
	told=$(meaning busy "then $word") || fail "no cell for busy, then $word"
	walk_example "JH_UNAVAILABLE JH_REASON_BUSY;$end" 2 "$told"
done < <(ends)

# What a VOID makes of a request that was refused in doubt: the third table, cell by cell. Of a number of their own both clients
# send it by themselves, which the scripted front-end demands.
fate() { # WORD: of the request, and what is to be done
	sed -n '/^## Giving a request up/,$p' "$document" | awk -F' *\\| *' -v row="$1" '$2 == row { print $3; found = 1 } END { exit !found }'
}
refusal="RPC_CANTRECV;JH_REFUSED JH_REASON_INVALID_POSTCODE"
while IFS='|' read -r word end; do
	[[ $end != RPC_CANTSEND ]] || continue
	told=$(fate "$word") || fail "no cell for a VOID, $word"
	walk_example "$refusal;VOID $end;" 3 "$told"
	case $word in
	done | refused) walk_client "$refusal;VOID $end" "$told" ;;
	never) # then the request itself is told
		walk_example "$refusal;VOID $end;JH_DONE" 4 done
		walk_client "$refusal;VOID $end;JH_DONE" done
		;;
	not\ taken | busy | not\ sent | in\ doubt) # repeated
		walk_example "$refusal;VOID $end;VOID JH_DONE" 4 refused
		[[ $end == RPC_TIMEDOUT ]] || walk_client "$refusal;VOID $end;VOID JH_DONE" refused
		;;
	esac
done < <(ends)
((walked > 160)) || fail "only $walked sequences: the tables are not read"

# Started again in doubt: the same request first, byte for byte (the scripted front-end compares), and nothing else.
again() { # SCRIPT OUTCOME
	local got=0
	rm -f "$work/state"
	"$work/place_order" "$work/state" 127.0.0.1 "$BASE" 20 1 "DH1 3LE" pizza "$1" >"$LOGS/walk" 2>&1 || got=$?
	((got == 5)) || fail "a lost call: status $got"
	got=0
	"$work/place_order" "$work/state" 127.0.0.1 "$BASE" 20 1 "DH1 3LG" other JH_DONE >"$LOGS/walk" 2>&1 || got=$?
	((got == ${STATUS_OF[$2]})) || fail "the example, restarted after '$1': status $got, not $2: $(<"$LOGS/walk")"
	grep -q 'request 1 of an earlier run' "$LOGS/walk" || fail "it asked for something else: $(<"$LOGS/walk")"
}
for word in done never refused; do
	end=$(ends | sed -n "s/^$word|//p" | head -n 1)
	again "RPC_CANTRECV;$end" "$(meaning "stored before a restart" "then $word")"
done
! dead "${PIDS[scripted]}" || fail "$(<"$LOGS/scripted.log")"
echo "$walked sequences are as docs/library.md says"
kill9 scripted

# --- a real cluster -------------------------------------------------------------------------------------------------

form 1
example() { # STATUS ARGUMENT...
	local wanted=$1 got=0
	shift
	"$work/place_order" "$work/state" 127.0.0.1 "$BASE" 10 5 "$@" >"$LOGS/walk" 2>&1 || got=$?
	((got == wanted)) || fail "place_order $*: status $got, not $wanted: $(<"$LOGS/walk")"
}
rm -f "$work/state"
example 0 "dh13le" "a pizza" "of the example"
grep -q 'number 3 for DH1 3LE' "$LOGS/walk" || fail "another order: $(<"$LOGS/walk")"
example 3 "NOT A POSTCODE" x
# As if it had died before it heard the end of a call: it asks again, and the order is there once.
example 0 "DH1 3LE" again
forget_the_end() { printf '\0\0\0\0' | dd of="$work/state" bs=1 conv=notrunc status=none; } # its `ended`
forget_the_end
example 0
grep -q 'request 3 of an earlier run: placed' "$LOGS/walk" || fail "not asked again: $(<"$LOGS/walk")"
expect 0 'DH1 3LE: 4 orders' history "DH1 3LE"
# Given up by a VOID; or as the next one is done. The log itself refuses then.
id=123e4567-e89b-42d3-a456-426614174000
expect 0 placed order --client-id "$id" --request 2 "DH1 3LE" next
expect 3 'below this client.s last' order --client-id "$id" --request 1 "DH1 3LE" "given up"

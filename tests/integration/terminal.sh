#!/bin/bash
# Output on a terminal of any kind and size, with a simulated user (on_terminal): lines are as wide as it is, no
# command, word or address is cut, and whatever ends a command, the terminal is left as it was found.
source "$(dirname "$0")/lib.sh"

ESCAPE=$'\e'
export TERM=xterm HOME=$SCRATCH
unset NO_COLOR COLUMNS LINES XDG_STATE_HOME

# sees STATUS COLUMNS ROWS COMMAND...: STATUS is a pattern; on a terminal of that size, with the instructions on standard input. What was shown
# is in OUT, without what ends a line on a terminal.
sees() {
	local status=$1 columns=$2 rows=$3
	shift 3
	STATUS=0
	"$JH_BUILD/tests/integration/on_terminal" "$columns" "$rows" "$@" >"$LOGS/terminal.out" 2>>"$LOGS/client.log" || STATUS=$?
	OUT=$(tr -d '\r' <"$LOGS/terminal.out")
	[[ $STATUS =~ ^$status$ ]] || fail "$* on $columns x $rows: status $STATUS, not $status: $OUT"
}

client=("$JH_BUILD/client/justhungry" --program-base "$BASE")
shows() { [[ $OUT == *"$1"* ]] || fail "the terminal does not show '$1': $OUT"; }
plain() { [[ $OUT != *"$ESCAPE"* ]] || fail "escape sequences where none are to be: $OUT"; }

# fits COLUMNS: no line is wider, but a command that stands alone.
fits() {
	sed "s/$ESCAPE\[[0-9;]*[mHJK]//g" <<<"$OUT" |
		awk -v columns="$1" 'length > columns && !/^ *justhungry-(server|frontend) [^`]*$/ { print; wide = 1 } END { exit wide }' ||
		fail "wider than $1 columns"
}

form 2
kill9 2
down() { status_is '[.replicas[] | select(.id == 2 and .role == "down")] | length == 1'; }
wait_for 20 "replica 2 to be known as down" down
command="justhungry-server --id 2 --data-dir DIR --program-base $BASE"
address=$(status_get '.replicas[0].address')

# --- every size -----------------------------------------------------------------------------------------------------

for columns in 60 80 120 200; do
	sees 0 "$columns" 24 "${client[@]}" status </dev/null
	fits "$columns"
	shows "$command"
	shows "$address"
	sees 0 "$columns" 24 "${client[@]}" status --watch <<-END
		await $command
		type ^C
	END
	fits "$columns"
done
# Help texts of all three programs, orders, and an error with a command in it.
try order "DH1 3LE" "fish and chips" "mushy peas with plenty of vinegar" "a can of dandelion and burdock"
for program in client/justhungry server/justhungry-server frontend/justhungry-frontend; do
	sees 0 60 24 "$JH_BUILD/$program" --help </dev/null
	fits 60
done
for name in order history status shell switchover promote remove bench; do
	sees 0 60 24 "${client[@]}" "$name" --help </dev/null
	fits 60
done
for columns in 60 80; do
	sees 0 "$columns" 24 "${client[@]}" history "DH1 3LE" </dev/null
	fits "$columns"
	shows burdock
	sees 4 "$columns" 24 "$JH_BUILD/client/justhungry" --program-base 1234567 --timeout 1 history "DH1 3LE" </dev/null
	fits "$columns"
done
# Without a size: as on 80 x 24, or what the environment says.
sees 0 0 0 "${client[@]}" status --watch <<-END
	await $command
	type ^C
END
fits 80
shows "$address"
COLUMNS=60 LINES=20 sees 0 0 0 "${client[@]}" status </dev/null
fits 60
for size in "1 1" "2 200" "9 3" "200 1"; do
	# shellcheck disable=SC2086 # two words
	sees 0 $size "${client[@]}" status --watch <<-END
		await ${ESCAPE}[J
		await ${ESCAPE}[J
		type ^C
	END
done
# A window that changes meanwhile.
sees 0 200 24 "${client[@]}" status --watch <<-END
	await \`$command\`
	resize 60 24
	await with
	await $command
	resize 60 7
	await replicas not shown
	resize 0 0
	await $command
	type ^C
END

# --- every kind -----------------------------------------------------------------------------------------------------

coloured() { [[ $OUT == *"$ESCAPE["* ]] || fail "nothing is coloured: $OUT"; }
sees 0 80 24 "${client[@]}" status </dev/null
coloured
NO_COLOR='' sees 0 80 24 "${client[@]}" status </dev/null
coloured
for kind in NO_COLOR=1 TERM=dumb TERM= -uTERM; do
	sees 0 80 24 env "$kind" "${client[@]}" status </dev/null
	plain
	sees 0 80 24 env "$kind" "${client[@]}" status --watch <<-END
		await $command
		await $command
		type ^C
	END
	plain
	fits 80
done
NO_COLOR=1 sees 0 80 24 "${client[@]}" bench --yes --clients 1 --orders 1 </dev/null
plain
for kind in TERM=dumb -uTERM; do
	sees 0 80 24 env "$kind" "${client[@]}" shell <<-END
		await hungry>
		type status
		await $command
		type exit
	END
	plain
done

# --- every end ------------------------------------------------------------------------------------------------------

for signal in INT TERM HUP QUIT; do
	sees 0 80 24 "${client[@]}" status --watch <<-END
		await $command
		signal $(kill -l $signal)
	END
done
sees 0 80 24 "${client[@]}" status --watch <<-END
	await $command
	signal $(kill -l TSTP)
	signal $(kill -l CONT)
	await $command
	type ^C
END
# The signal and the write that fails come at the same time.
sees '[06]' 80 24 "${client[@]}" status --watch <<-END
	await $command
	hang up
END
for signal in TERM HUP; do
	sees $((128 + $(kill -l $signal))) 80 24 "${client[@]}" shell <<-END
		await hungry>
		signal $(kill -l $signal)
	END
done

# --- the lines typed ------------------------------------------------------------------------------------------------

rm "$HOME/.justhungry_history"
sees 0 80 24 "$BASH" -c "'$JH_BUILD/tests/integration/on_terminal' 80 24 ${client[*]} shell <<<'await hungry>
type help
await exit
type exit'; ${client[*]} shell" <<-END
	await Just Hungry
	await Just Hungry
	await hungry>
	type status
	await $command
	type exit
END
[[ $(grep -c -x -E 'help|status|exit' "$HOME/.justhungry_history") == 4 ]] || fail "kept: $(<"$HOME/.justhungry_history")"

#!/bin/bash
# A line typed at the shell's prompt arrives whole or not at all, whatever locale the environment names: letters that
# are not ASCII are kept, and a line that contains invalid text orders nothing.
source "$(dirname "$0")/lib.sh"

[[ -x $(command -v script) ]] || skip "needs script, of bsdutils"
form 1
mkdir "$SCRATCH/home"
mkfifo "$SCRATCH/keys"

# type_at_prompt NAME=VALUE... -- LINE...: a shell on a terminal of its own, in an environment; each line is typed when
# the prompt is there. What the terminal showed is in $LOGS/terminal.
prompts_shown() { (($({ grep -o 'hungry> ' "$LOGS/terminal" || true; } | wc -l) >= $1)); }
type_at_prompt() {
	local environment=() count=0 line
	while [[ $1 != -- ]]; do
		environment+=("$1")
		shift
	done
	shift
	: >"$LOGS/terminal"
	env -u LANG -u LC_CTYPE -u LC_ALL TERM=xterm HOME="$SCRATCH/home" "${environment[@]}" script -qefc \
		"exec '$JH_BUILD/client/justhungry' --program-base $BASE shell" /dev/null <"$SCRATCH/keys" >"$LOGS/terminal" &
	PIDS[terminal]=$!
	exec 9>"$SCRATCH/keys"
	for line; do
		count=$((count + 1))
		wait_for 20 "prompt $count" prompts_shown "$count"
		printf '%b\r' "$line" >&9
	done
	wait_for 20 "the last prompt" prompts_shown $((count + 1))
	printf 'exit\r' >&9
	join terminal
	exec 9>&-
}

items() { jh --json history "$1" | jq -c '[.orders[].items[]]'; }
ordered() { # POSTCODE JSON
	[[ $(items "$1") == "$2" ]] || fail "the orders to $1 are $(items "$1"), not $2: $(cat "$LOGS/terminal")"
}

postcode=1
for environment in LC_ALL=C LC_ALL=C.UTF-8 LC_ALL=nn_XX.UTF-8 LC_ALL=en_GB.ISO-8859-1 LOCPATH=/nowhere TERM=dumb; do
	type_at_prompt "$environment" -- "order 'M$postcode 1AA' 'jalapeño 寿司'"
	ordered "M$postcode 1AA" '["jalapeño 寿司"]'
	postcode=$((postcode + 1))
done

# One byte of Latin-1, a character cut short, a NUL: the line is refused whole, and the next one is not.
spoiled=()
for bytes in '\xf1' '\xe5\xaf' '\x00' '\xed\xa0\x80' '\xc0\xaf'; do
	spoiled+=("order 'W1A 1AA' jalape${bytes}o" "order 'W1B 1AA' soup")
done
type_at_prompt LC_ALL=C.UTF-8 -- "${spoiled[@]}"
(($(grep -c 'nothing of it is run' "$LOGS/terminal") == 5)) || fail "no word about some: $(cat "$LOGS/terminal")"
ordered "W1A 1AA" '[]'
ordered "W1B 1AA" '["soup","soup","soup","soup","soup"]'

# There is an editor: what is deleted is deleted, and the line before comes back.
type_at_prompt LC_ALL=C -- "order 'W1C 1AA' 寿司司\x7f\x7f司" '\x1b[A'
ordered "W1C 1AA" '["寿司","寿司"]'

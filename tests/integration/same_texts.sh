#!/bin/bash
# A text means the same whichever way it arrives: as an argument, in an order file, in a line of a piped shell, in the
# initial orders. A valid one is kept byte for byte, an invalid one is refused by all with a message that shows the
# fault, and a line is ordered whole or not at all. Lines typed on a terminal: shell_on_terminal.sh.
source "$(dirname "$0")/lib.sh"

# A replica that begins with a file as a spreadsheet saves it; others are refused by line and column.
bad_start() { # CONTENT PATTERN
	printf '%b' "$1" >"$SCRATCH/loaded"
	start_replica 9 --initial-orders "$SCRATCH/loaded"
	ends 9 '[1-4]' "loaded:$2"
	rm -rf "$(replica_dir 9)"
	: >"$LOGS/replica-9.log"
}
bad_start 'M9 1AA\t\tsoup\nM9 1AA\t\tpizza\0more\n' '2: column 14 is a NUL'
bad_start 'M9 1AA\t\tsoup\rM9 1AA\t\tpie\r' '1: column 13 is a carriage return'
bad_start 'M9 1AA\t\tsoup\t\xe2\x80\x8b\n' '1: item 2 is blank.*\\u\{200b\}'
bad_start 'M9 1AA\t\xe3\x80\x80\tsoup\n' "1: the customer's name is blank.*u\{3000\}"
bad_start 'M9\xf3\xa0\x81\x81 1AA\t\tsoup\n' '1: invalid postcode: M9\\u\{e0041\} 1AA'
printf '\xef\xbb\xbf# Sunday\r\n\t\t\r\nM9\xc2\xa01AA\t Zoë \t  jalapeño 寿司　盛り \r\nM9 1AA\t\tsoup' >"$SCRATCH/loaded"

start_replica 1 --initial-orders "$SCRATCH/loaded"
start_frontend --new-cluster
jh --timeout 20 status --wait 1 >/dev/null
file=$SCRATCH/orders

items() { jh --json history "$1" | jq -c '[.orders[] | [.customer, .items]]'; }
orders_are() { # POSTCODE JSON
	[[ $(items "$1") == "$2" ]] || fail "the orders to $1 are $(items "$1"), not $2"
}
said_visibly() { # what was said has nothing in it that cannot be seen
	! grep -q -P '[\x{00}-\x{08}\x{0b}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fe00}-\x{fe0f}\x{e0000}-\x{e0fff}]' \
		"$LOGS/try.err" || fail "something that cannot be seen was said: $ERR"
}
from_file() { # CONTENT as printf '%b' reads it
	printf '%b' "$1" >"$file"
	try order --file "$file"
}
from_shell() {
	STATUS=0
	printf '%b' "$1" | jh shell >"$LOGS/try.out" 2>"$LOGS/try.err" || STATUS=$?
	OUT=$(<"$LOGS/try.out")
	ERR=$(tr -d '\0' <"$LOGS/try.err")
}
ended() { # STATUS PATTERN
	((STATUS == $1)) || fail "status $STATUS, not $1: $OUT $ERR"
	grep -q -E -- "$2" <<<"$OUT$ERR" || fail "does not say '$2': $OUT $ERR"
	said_visibly
}
export LC_ALL=C.UTF-8

orders_are "M9 1AA" '[[" Zoë ",["  jalapeño 寿司　盛り "]],["",["soup"]]]'

# --- what is good is kept -------------------------------------------------------------------------------------------

text='  jalapeño 寿司　盛り 👨‍👩‍👧 \u{200b} ' # blanks around it, an ideographic one within, joiners, what looks like an escape
expect 0 'placed' order --customer " Zoë " "M1 1AA" "$text"
from_file "M1 1AA\t${text/\\/\\\\}\n"
ended 0 'placed'
from_shell "order 'M1 1AA' '${text/\\/\\\\}'"
ended 0 'placed'
both=$(jq -nc --arg text "$text" '[[" Zoë ", [$text]], ["", [$text]], ["", [$text]]]')
orders_are "M1 1AA" "$both"

# --- whatever an editor makes of a file -----------------------------------------------------------------------------

mark='\xef\xbb\xbf'
from_file "${mark}# Monday\r\n\r\n  \t\r\nM2 1AA\tpizza\tgarlic bread\r\nM2 1AA\tsoup"
ended 0 'placed'
from_shell "${mark}# Monday\r\n\r\norder 'M2 1AA' pizza 'garlic bread'\r\norder 'M2 1AA' soup"
ended 0 'placed'
monday='["",["pizza","garlic bread"]],["",["soup"]]'
orders_are "M2 1AA" "[$monday,$monday]"

# --- whole or not at all --------------------------------------------------------------------------------------------

long=$(head -c 70000 /dev/zero | tr '\0' x)
for half in 'pizza\0more' 'pizza\rmore' 'pizza '"$long"; do
	from_file "M3 1AA\tsoup\nM3 1AA\t${half/ /\\t}\n"
	ended 2 'line 2: (column 13 is a (NUL|carriage return)|the line is longer)'
	from_shell "order 'M3 1AA' soup\norder 'M3 1AA' $half\n"
	ended 2 'line 2: (column 21 is a (NUL|carriage return)|the line is longer)'
done
orders_are "M3 1AA" '[["",["soup"]],["",["soup"]],["",["soup"]],["",["soup"]],["",["soup"]],["",["soup"]]]'
from_file '\xff\xfeM\0'
ended 2 'UTF-16'

# --- what is no text ------------------------------------------------------------------------------------------------

# BYTES PATTERN: alone, as an item, and as a customer.
is_refused() {
	local bytes
	bytes=$(printf '%b.' "$1")
	expect 2 "item 1 is $2" order "M4 1AA" "${bytes%.}"
	said_visibly
	expect 2 "the customer's name is $2" order --customer "${bytes%.}" "M4 1AA" soup
	said_visibly
	from_file "M4 1AA\tsoup\t$1\n"
	ended 2 "line 1: item 2 is $2"
	from_shell "order 'M4 1AA' soup '$1'\n"
	ended 2 "item 2 is $2"
}
is_refused ' ' 'blank'
is_refused '\xc2\xa0\xe3\x80\x80' 'blank.*\\u\{a0\}\\u\{3000\}'
is_refused '\xe2\x80\x8b' 'blank.*\\u\{200b\}'
is_refused '\xef\xbb\xbf\xc2\xad' 'blank.*\\u\{feff\}\\u\{ad\}'
is_refused '\xf3\xa0\x81\x81' 'blank.*\\u\{e0041\}'
is_refused 'caf\xe9' 'not text.*caf\\xe9'
is_refused '\xed\xa0\x80' 'not text.*\\xed\\xa0\\x80'
is_refused '\xc0\xaf' 'not text.*\\xc0\\xaf'
is_refused 'a\x1b[2J' 'not text.*\\x1b\[2J'
is_refused 'a\xc2\x9b2J' 'not text.*\\u\{9b\}2J'
orders_are "M4 1AA" '[]'

# --- postcodes as they are pasted -----------------------------------------------------------------------------------

for pasted in $'M5\u00a01AA' $'M5\u200b 1AA' $'\ufeffM5 1AA\u2060' $'M5\u00ad1AA' $'\u2068M5\u202f1AA\u2069'; do
	expect 0 'for M5 1AA' order "$pasted" soup
	expect 0 'M5 1AA' history "$pasted"
	from_file "$pasted\tsoup"
	ended 0 'for M5 1AA'
done
jh --json history "M5 1AA" | jq -e '.total == 10' >/dev/null || fail "not 10 orders to M5 1AA"
for wrong in $'M5\U000e0041 1AA' $'\u202eAA1 5M' $'M5 1AA\ufe0f'; do
	expect 3 'invalid postcode: .*\\u\{(e0041|202e|fe0f)\}' order "$wrong" soup
	said_visibly
	expect 3 'invalid postcode: .*\\u\{(e0041|202e|fe0f)\}' history "$wrong"
	said_visibly
done
expect 3 'invalid postcode: M5\\u\{a0\}1\\u\{a0\}AA' order $'M5\u00a01\u00a0AA' soup

# --- what else is quoted --------------------------------------------------------------------------------------------

expect 2 '"orde\\u\{200b\}r"' $'orde\u200br'
expect 2 'option .--cust\\u\{200b\}omer' order $'--cust\u200bomer' Zoë "M1 1AA" soup
said_visibly
expect 2 '"order\\u\{a0\}soup"' $'order\u00a0soup'
expect 2 '"5\\u\{200b\}"' --timeout $'5\u200b' status
expect 2 'orders\\u\{202e\}' order --file "$SCRATCH/"$'orders\u202e'
expect 4 'no\\u\{ad\}where' --timeout 1 --frontend $'no\u00adwhere.invalid' order "M1 1AA" soup
said_visibly
expect 0 placed order "M6 1AA" $'tofu\u200b'
expect 0 'tofu\\u\{200b\}' history "M6 1AA"

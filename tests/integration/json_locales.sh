#!/bin/bash
# Numbers are written and read with a point in every locale, in JSON and in text, by the client and by the daemons:
# German has a decimal comma, French groups digits with blanks, Turkish has an I of its own, and Japanese may not be
# UTF-8. The output with these locales equals the output without; they are made here, none needs to be installed.
source "$(dirname "$0")/lib.sh"

locales=(de_DE.UTF-8 fr_FR.UTF-8 tr_TR.UTF-8 ja_JP.EUC-JP)
export LOCPATH=$SCRATCH/locales
# glibc keeps what it makes of LOCPATH.
echo 'leak:__argz_add_sep' >"$SCRATCH/suppressions"
export LSAN_OPTIONS=print_suppressions=0:suppressions=$SCRATCH/suppressions
mkdir "$LOCPATH"
for name in "${locales[@]}"; do
	localedef -i "${name%%.*}" -f "${name#*.}" "$LOCPATH/$name" >>"$LOGS/localedef.log" 2>&1 || [[ -d $LOCPATH/$name ]] ||
		fail "localedef: $(<"$LOGS/localedef.log")"
done
[[ $(LC_ALL=de_DE.UTF-8 printf '%.1f' "1,5") == 1,5 ]] || fail "the locales do not work here"

# as LOCALE COMMAND...: its output in OUT, and one JSON value.
as() {
	local locale=$1
	shift
	OUT=$(LC_ALL=$locale jh --json "$@" 2>"$LOGS/err") || fail "$locale: justhungry --json $*: $? $OUT $(<"$LOGS/err")"
	LC_ALL=C jq -e -s 'length == 1' <<<"$OUT" >/dev/null 2>&1 || fail "$locale: justhungry --json $* prints no JSON: $OUT"
}
# numbers FILTER: what FILTER finds in OUT are numbers.
numbers() { LC_ALL=C jq -e "[$1] | all(type == \"number\")" <<<"$OUT" >/dev/null || fail "$1 are no numbers in $OUT"; }

# The daemons, too, live in such a locale: their view file, reports and logs.
export LC_ALL=de_DE.UTF-8
form 3
for locale in "${locales[@]}"; do
	as "$locale" order dh13le "pizza quattro formaggi"
	[[ $(jq -r '"\(.postcode) \(.outcome)"' <<<"$OUT") == "DH1 3LE done" ]] || fail "$locale: $OUT"
	as "$locale" bench --yes --clients 2 --seconds 0.25 --reads 50
	numbers '.orders_per_second, .reads_per_second, .seconds, .p50_us, .max_gap_us'
	[[ $OUT =~ \"seconds\":\ ?0\.[0-9] ]] || fail "$locale: --seconds 0.25 is read as $OUT"
done
as de_DE.UTF-8 history dh13le
numbers '.total, .orders[].number, .op'
as de_DE.UTF-8 status
numbers '.view, .replicas[].op, .replicas[].uptime_s'
text=$(jh bench --yes --clients 2 --seconds 0.25 2>"$LOGS/err") || fail "bench: $?"
grep -q -E '^2 clients, 0\.[0-9]{2} s$' <<<"$text" && ! grep -q -E "[0-9],[0-9]" "$LOGS/err" - <<<"$text" || fail "bench says $text"
as tr_TR.UTF-8 switchover
as fr_FR.UTF-8 status --wait 3
primary=$(jq .primary <<<"$OUT")
for id in 1 2 3; do
	((id == primary)) || break
done
kill9 "$id"
wait_for 30 "replica $id to be missed" status_is ".replicas[] | select(.id == $id) | .role == \"down\""
as de_DE.UTF-8 remove "$id"

# What is to be typed again is read as it was meant; a front-end and a replica that are asked themselves answer the same.
kill9 frontend
OUT=$(LC_ALL=de_DE.UTF-8 jh --json status 2>/dev/null) || true
LC_ALL=C jq -e -s 'length == 1' <<<"$OUT" >/dev/null || fail "status of replicas is no JSON: $OUT"
OUT=$(LC_ALL=de_DE.UTF-8 jh --timeout 1.5 --json order dh13le soup 2>"$LOGS/err") || true
LC_ALL=C jq -e -s 'length == 1' <<<"$OUT" >/dev/null || fail "a refusal is no JSON: $OUT"
! grep -q -E -- '--timeout [0-9]+,' "$LOGS/err" || fail "to be typed again: $(<"$LOGS/err")"
stop "$((primary))"
OUT=$(LC_ALL=de_DE.UTF-8 "$JH_BUILD/server/justhungry-server" --check "$(replica_dir "$primary")") || fail "--check: $OUT"
LC_ALL=C jq -e -s 'length == 1' <<<"$OUT" >/dev/null || fail "--check is no JSON: $OUT"
LC_ALL=C jq -e -s 'length == 1' "$SCRATCH/frontend/view.json" >/dev/null || fail "view.json is no JSON"

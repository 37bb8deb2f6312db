#!/bin/bash
# Rule 11: the same client id and request number is one order, however often it is repeated, also after the primary
# changed and after everything was restarted; with other content it is a conflict, and a number below the last is
# superseded.
source "$(dirname "$0")/lib.sh"

form 3
client=0123abcd-0000-4000-8000-000000000001
again() { expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order --client-id "$client" --request 1 "DH1 3LE" soup; }
again
again
kill9 "$(primary)"
again
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' order --client-id "$client" --request 5 "DH1 3LE" bread
again
expect 3 . order --client-id "$client" --request 1 "DH1 3LE" "something else"
grep -q -i -E 'other content|conflict|already used' <<<"$ERR" || fail "a conflict reads: $ERR"
expect 3 "below this client's last" order --client-id "$client" --request 3 "DH1 3LE" "too late"
try --json order --client-id "$client" --request 5 "DH1 3LE" bread
jq -e --arg client "$client" '.outcome == "done" and .number == 4 and .postcode == "DH1 3LE" and .client == $client and
	.request == 5 and .op > 0 and (.time | length > 0) and .check == "format-only"' <<<"$OUT" >/dev/null || fail "json: $OUT"
# Numbers have no sign, in no form: the highest is one, and what asks again is understood.
expect 0 'Order [0-9]+ \(#5 for DH1 3LE\) placed' order --client-id "$client" --request 18446744073709551614 "DH1 3LE" wide
try --json order --client-id "$client" --request 18446744073709551615 "DH1 3LE" widest
grep -q '"request": 18446744073709551615[,}]' <<<"$OUT" || fail "the highest number: $OUT"
try --json history --limit 2 "DH1 3LE"
grep -q '"request": 18446744073709551614[,}].*"request": 18446744073709551615[,}]' <<<"$(tr -d '\n' <<<"$OUT")" ||
	fail "the highest numbers: $OUT"
expect 2 'is not a whole number' order --client-id "$client" --request 18446744073709551616 "DH1 3LE" wider
expect 5 '--request 18446744073709551615 ' --frontend 127.0.0.1:1 --timeout 0.1 \
	order --client-id "$client" --request 18446744073709551615 "DH1 3LE" widest
printf 'DH1 3LE\twidest\nDH1 3LE\twider\n' >"$SCRATCH/orders"
expect 2 'no higher request number' order --client-id "$client" --request 18446744073709551615 --file "$SCRATCH/orders"
kill9 frontend
start_frontend
wait_for 20 "a primary that serves" serving
expect 0 'Order [0-9]+ \(#6 for DH1 3LE\) placed' order --client-id "$client" --request 18446744073709551615 "DH1 3LE" widest
try --json history "DH1 3LE"
jq -e '.total == 6' <<<"$OUT" >/dev/null || fail "doubled: $OUT"

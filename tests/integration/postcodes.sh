#!/bin/bash
# Postcodes are validated by the two providers (simulated on this machine): one that does not exist is refused, one that
# cannot be looked up is accepted as format-only or, with strict, refused; a dead provider costs one order one deadline,
# not every order.
source "$(dirname "$0")/lib.sh"

# Runs until its standard input closes.
mkfifo "$SCRATCH/hold"
exec {hold}<>"$SCRATCH/hold"
"$JH_BUILD/tests/integration/postcode_provider" <&"$hold" >"$LOGS/provider.log" 2>&1 &
PIDS[provider]=$!
wait_for 10 "the provider's port" log_says provider '^port [0-9]+'
port=$(awk '/^port/ { print $2; exit }' "$LOGS/provider.log")

both() { # POSTCODES_IO GETTHEDATA OPTION...: one replica that asks providers that behave so
	SERVER_OPTIONS=(--postcodes-io "http://127.0.0.1:$port/$1" --getthedata "http://127.0.0.1:$port/$2" "${@:3}")
	start_replica 1
	start_frontend --new-cluster
	jh --timeout 20 status --wait 1 >/dev/null
}
with() { # BEHAVIOUR OPTION...: one replica that asks a provider that behaves so
	local url="http://127.0.0.1:$port${1:+/$1}"
	shift
	SERVER_OPTIONS=(--postcodes-io "$url" --getthedata "$url" "$@")
	start_replica 1
	start_frontend --new-cluster
	jh --timeout 20 status --wait 1 >/dev/null
}
again() {
	stop frontend 1
	rm -rf "$(replica_dir 1)" "$SCRATCH/frontend"
}
check_of() { # POSTCODE: places an order, prints its check
	try --json order "$1" soup
	((STATUS == 0)) || fail "order to $1: status $STATUS $OUT $ERR"
	jq -r .check <<<"$OUT"
}

with ''
[[ $(check_of "DH1 3LE") == exists ]] || fail "DH1 3LE is said not to exist"
expect 3 'invalid postcode: ZY1 1AA \(postcodes.io knows no such postcode\)' order "ZY1 1AA" soup
expect 3 'invalid postcode: ' order "ZY2 1AA" soup
expect 3 'invalid postcode: ' order "ZY3 1AA" soup
# Rule 12: under a number that was handed over an earlier call may still be on its way; this is about the one attempt.
numbered=(order --client-id 0123abcd-0000-4000-8000-000000000001 --request)
expect 5 'invalid postcode: ZY1 1AA .*an earlier one may still be executed' "${numbered[@]}" 1 "ZY1 1AA" soup
expect 0 'placed' "${numbered[@]}" 2 "DH1 3LE" soup
expect 3 "below this client's last" "${numbered[@]}" 1 "ZY1 1AA" soup
again
for behaviour in limited broken truncated notjson redirect oversized silent; do
	with "$behaviour"
	[[ $(check_of "DH1 3LE") == format-only ]] || fail "$behaviour: check is $(jq -r .check <<<"$OUT")"
	again
done

# getthedata.com's directory is an old one: it confirms, and refuses nothing.
both broken '' --postcode-check strict
[[ $(check_of "DH1 3LE") == exists ]] || fail "confirmed by the second: check is $(jq -r .check <<<"$OUT")"
expect 3 'could not validate postcode: no provider that may know' order "ZY1 1AA" soup
expect 3 'could not validate postcode: no provider that may know' order "ZY3 1AA" soup
again

# The providers lack the forces' postcodes: they are not refused, and strict says why it refuses.
both invalid invalid
[[ $(check_of "bf13aa") == format-only ]] || fail "BF1 3AA: check is $(jq -r .check <<<"$OUT")"
[[ $(check_of "STHL 1ZZ") == format-only ]] || fail "STHL 1ZZ: check is $(jq -r .check <<<"$OUT")"
expect 3 'invalid postcode: ' order "DH1 3LE" soup
again

with silent --postcode-check strict
expect 3 'could not validate postcode' order "DH1 3LE" soup
again

# The first order of each postcode would wait a deadline of 1 s; with the breaker open only the first ones do. Compared with a
# provider that fails at once, in the same run: what else an order costs depends on the machine.
nine_orders_ms() {
	local before number
	before=$(date +%s%3N)
	for number in 1 2 3 4 5 6 7 8 9; do
		check_of "DH1 ${number}LE" >/dev/null
	done
	echo $(($(date +%s%3N) - before))
}
with broken
broken_ms=$(nine_orders_ms)
again
with silent
silent_ms=$(nine_orders_ms)
((silent_ms - broken_ms < 8000)) || fail "a dead provider cost every order its deadline: $silent_ms ms for 9, of a broken one $broken_ms"
again

# A starting replica recalls the results of earlier orders: an existing postcode is not asked about again, and one that was
# never asked about stays unknown, so it never becomes "exists" by itself.
with silent
[[ $(check_of "DH1 5LE") == format-only ]] || fail "DH1 5LE: check is $(jq -r .check <<<"$OUT")"
[[ $(check_of "ZY1 1AA") == format-only ]] || fail "ZY1 1AA: check is $(jq -r .check <<<"$OUT")"
again_with() { # BEHAVIOUR: on what is there
	stop 1
	SERVER_OPTIONS=(--postcodes-io "http://127.0.0.1:$port$1" --getthedata "http://127.0.0.1:$port$1")
	start_replica 1
	wait_for 20 "the replica to serve again" serving
}
again_with ""
[[ $(check_of "DH1 3LE") == exists ]] || fail "DH1 3LE, never ordered to but before the start, is not asked about"
[[ $(check_of "DH1 6LE") == exists ]] || fail "DH1 6LE is not asked about"
try --json order "ZY1 1AA" soup
[[ $STATUS == 3 || $(jq -r .check <<<"$OUT") == format-only ]] || fail "ZY1 1AA exists all of a sudden: $OUT"
again_with /silent
before=$SECONDS
[[ $(check_of "DH1 6LE") == exists ]] || fail "DH1 6LE is forgotten: check is $(jq -r .check <<<"$OUT")"
[[ $(check_of "DH1 5LE") == format-only ]] || fail "DH1 5LE exists all of a sudden"

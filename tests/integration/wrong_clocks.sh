#!/bin/bash
# Rule 16: a clock that is 70 years ahead, at a backup or at the primary, dates no order, and status and the log name
# it. Times that were given when all clocks were wrong are repeated and never undercut, and status says from which op on
# they are not real; a clock that goes back changes nothing.
source "$(dirname "$0")/lib.sh"

YEARS=$((70 * 31556952))
preload=$JH_BUILD/tests/integration/libwrong_clock.so

set_clock() { # ID SECONDS: at once, for a running process
	echo "$2" >"$SCRATCH/clock-$1.new"
	mv "$SCRATCH/clock-$1.new" "$SCRATCH/clock-$1"
}
set_clocks() { for id in 1 2 3; do set_clock "$id" "$1"; done; }
for id in 1 2 3; do
	set_clock "$id" 0
	launch "replica-$id" env LD_PRELOAD="$preload" WRONG_CLOCK="$SCRATCH/clock-$id" \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
		"$JH_BUILD/server/justhungry-server" --id "$id" --data-dir "$(replica_dir "$id")" --program-base "$BASE" \
		"${SERVER_OPTIONS[@]}"
done
start_frontend --new-cluster
jh --timeout 60 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"

says() { status_is ".summary | test(\"$1\")"; }
# order_at: places an order; ORDERED is its time in seconds since 1970, OP its op.
order_at() {
	expect 0 '"outcome": "done"' --json order "DH1 3LE" soup
	ORDERED=$(date -u -d "$(jq -r .time <<<"$OUT")" +%s)
	OP=$(jq -r .op <<<"$OUT")
}
real() { ((ORDERED >= $(date +%s) - 60 && ORDERED <= $(date +%s) + 61)) || fail "$1: dated $(date -u -d "@$ORDERED")"; }

primary=$(primary)
backup=$(a_backup)
order_at
real "all clocks right"

set_clock "$backup" "$YEARS"
wait_for 10 "status to name the backup's clock" says "the clock of replica $backup is 70 years ahead"
log_says frontend "the clock of replica $backup is 70 years ahead of the others': set it right" || fail "not logged"
order_at
real "a backup 70 years ahead"
set_clock "$backup" 0
wait_for 10 "status to be quiet again" status_is '.summary == "ok"'
order_at

set_clock "$primary" "$YEARS"
wait_for 10 "status to name the primary's clock" says "the clock of replica $primary is 70 years ahead"
order_at
real "the primary 70 years ahead"
set_clock "$primary" "-$YEARS"
wait_for 10 "status to name the primary's clock" says "the clock of replica $primary is 70 years behind"
before=$ORDERED
order_at
((ORDERED >= before)) || fail "an order is dated before the last"
real "the primary 70 years behind"

set_clocks "$YEARS"
wait_for 10 "the front-end to find itself alone" says "the front-end's clock is 70 years behind"
order_at # tells the primary the others' clocks
order_at
((ORDERED > $(date +%s) + YEARS - 1000)) || fail "all are 70 years ahead, and an order is dated $(date -u -d "@$ORDERED")"
late=$ORDERED
set_clocks 0
wait_for 10 "status to tell of the times" says "order times are not real from op ($((OP - 1))|$OP) on"
order_at
((ORDERED == late)) || fail "a time in the log is repeated, not $(date -u -d "@$ORDERED")"
jh history "DH1 3LE" | grep -q "  $(date -u -d "@$late" +%Y)-" || fail "history shows another year: $(jh history "DH1 3LE")"
says "order times are not real" || fail "status forgot: $(status_json)"
stop frontend 1 2 3

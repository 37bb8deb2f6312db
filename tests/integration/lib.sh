# shellcheck shell=bash
# Clusters of real processes. A test sources this file, states its expectations, and ends; every process it started is
# ended with it, and a sanitizer report or a broken invariant in any log fails it.
#
# As root every test is a host of its own: it runs itself again in network, mount and pid namespaces with a /run and an
# rpcbind of their own, so that tests run in parallel and no process outlives them. Without root it uses the machine's
# rpcbind with program numbers of its own, or is skipped (77) when there is none. `needs_own_host` skips tests that
# cannot run that way.
#
# No test sleeps for a fixed time: wait_for polls a condition.
set -euo pipefail

: "${JH_BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/dev}"
unset JUSTHUNGRY_FRONTEND JUSTHUNGRY_PROGRAM_BASE # the clients of a test ask the cluster of the test
PATH=$PATH:/usr/sbin:/sbin
unset COLUMNS LINES NO_COLOR # the clients' output is not fitted to the terminal of the tests
readonly SKIPPED=77

if [[ -z ${JH_OWN_HOST:-} ]] && ((EUID == 0)) && unshare --net --mount --pid --fork true 2>/dev/null; then
	JH_OWN_HOST=1 exec unshare --net --mount --pid --fork --mount-proc --kill-child "$BASH" "$0" "$@"
fi

SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/justhungry-test.XXXXXX")
LOGS=$SCRATCH/logs
mkdir "$LOGS"
exec </dev/null

declare -A PIDS=()       # name -> pid; names: replica-N, frontend, bench, ...
declare -A HOSTS=()      # N -> pid that holds the namespaces of host N (add_host)
declare -A HOST_OF=()    # name -> pid of the host it runs on
HOST_PID=                # set it to start the next processes on another host
PROGRAMS=$JH_BUILD       # where the daemons come from that are started next
BASE=0                   # --program-base of this test's cluster
STATUS=0 OUT='' ERR=''   # of the last `try`
SERVER_OPTIONS=(--postcode-check grammar)   # no test asks the internet
FRONTEND_OPTIONS=()

# --- ending ---------------------------------------------------------------------------------------------------------

skip() {
	echo "skipped: $*"
	exit "$SKIPPED"
}

needs_own_host() { [[ -n ${JH_OWN_HOST:-} ]] || skip "needs root (a network and mount namespace of its own)"; }

fail() {
	echo "FAILED: $*" >&2
	trap - ERR
	exit 1
}

# Reports of the sanitizers and of our own asserts, in whatever any process wrote.
broken_logs() {
	grep -l -E 'runtime error:|(Address|Leak|Thread|UndefinedBehavior)Sanitizer|broken invariant:' "$LOGS"/* 2>/dev/null
}

show_logs() {
	local log
	for log in "$LOGS"/*; do
		[[ -s $log ]] || continue
		printf -- '--- %s\n' "${log##*/}"
		tail -n "${JH_LOG_LINES:-40}" "$log"
	done
}

clean_up() {
	local status=$? name program version
	trap - EXIT ERR
	set +e
	{
		for name in "${!PIDS[@]}"; do
			kill -KILL "${PIDS[$name]}"
			wait "${PIDS[$name]}"
		done
		wait
	} 2>/dev/null
	if [[ -z ${JH_OWN_HOST:-} ]] && ((BASE > 0)); then
		# A killed process leaves its entry; these program numbers are the test's alone.
		rpcinfo -p 2>/dev/null | awk -v low="$BASE" '$1 >= low && $1 <= low + 4095 { print $1, $2 }' | sort -u |
			while read -r program version; do
				rpcinfo -d "$program" "$version" >/dev/null 2>&1
			done
	fi
	if ((status != SKIPPED)) && [[ -n $(broken_logs) ]]; then
		echo "FAILED: a process reported a bug of its own: $(broken_logs | xargs -n 1 basename | tr '\n' ' ')" >&2
		((status == 0)) && status=1
		grep -h -A 25 -E 'runtime error:|Sanitizer|broken invariant:' "$LOGS"/* | head -n 120 >&2
	fi
	if ((status != 0 && status != SKIPPED)); then
		show_logs >&2
	fi
	# However deep: what is mounted there is not this test's to remove.
	[[ -z ${JH_OWN_HOST:-} ]] || awk -v below="$SCRATCH/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo |
		tac | xargs -r -n 1 umount -l
	if ((status != 0 && status != SKIPPED)) && [[ -n ${JH_KEEP_SCRATCH:-} ]]; then
		echo "kept: $SCRATCH" >&2
	elif ! grep -q -F " $SCRATCH/" /proc/self/mountinfo; then
		rm -rf --one-file-system "$SCRATCH"
	fi
	exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND" >&2' ERR
set -o errtrace

# --- waiting --------------------------------------------------------------------------------------------------------

# wait_for SECONDS WHAT COMMAND...: polls COMMAND until it succeeds; fails the test when it does not in time.
wait_for() {
	local patience=$1 deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		((SECONDS < deadline)) || fail "waited $patience s in vain for: $what"
		sleep 0.05
	done
}

dead() { ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]; }
log_says() { grep -q -E -- "$2" "$LOGS/$1.log"; } # NAME PATTERN

# --- rpcbind --------------------------------------------------------------------------------------------------------

rpcbind_answers() { timeout 5 rpcinfo -p >/dev/null 2>&1; }

start_rpcbind() {
	rpcbind -f >"$LOGS/rpcbind.log" 2>&1 &
	PIDS[rpcbind]=$!
	wait_for 10 "rpcbind to answer" rpcbind_answers
}

base_is_free() {
	! rpcinfo -p | awk -v low="$1" '$1 >= low && $1 <= low + 4095 { found = 1 } END { exit !found }'
}

if [[ -n ${JH_OWN_HOST:-} ]]; then
	mount -t tmpfs tmpfs /run
	ip link set lo up
	start_rpcbind
	BASE=541000000
else
	rpcbind_answers || skip "no rpcbind is running, and starting one for this test needs root and namespaces (unshare)"
	BASE=$((541000000 + $$ % 100000 * 5000))
	while ! base_is_free "$BASE"; do
		BASE=$((BASE + 5000))
	done
fi

# --- processes ------------------------------------------------------------------------------------------------------

# launch NAME COMMAND...: in the background, output to logs/NAME.log (appended: a restart writes on), or where OUTPUT says.
OUTPUT=
launch() {
	local name=$1 output=${OUTPUT:-$LOGS/$1.log}
	shift
	[[ -z ${PIDS[$name]:-} ]] || fail "$name is running already"
	if [[ -n $HOST_PID ]]; then
		HOST_OF[$name]=$HOST_PID
	fi
	if [[ -n ${HOST_OF[$name]:-} ]]; then
		nsenter --net --mount --root -t "${HOST_OF[$name]}" "$@" >>"$output" 2>&1 &
	else
		"$@" >>"$output" 2>&1 &
	fi
	PIDS[$name]=$!
}

replica_dir() { echo "$SCRATCH/replica-$1"; }

start_replica() { # ID OPTION...
	local id=$1
	shift
	launch "replica-$id" "$PROGRAMS/server/justhungry-server" --id "$id" --data-dir "$(replica_dir "$id")" \
		--program-base "$BASE" "${SERVER_OPTIONS[@]}" "$@"
}

start_frontend() { # OPTION...
	launch frontend "$PROGRAMS/frontend/justhungry-frontend" --data-dir "$SCRATCH/frontend" --program-base "$BASE" \
		"${FRONTEND_OPTIONS[@]}" "$@"
}

# A name is "frontend", "bench", or a replica's id.
name_of() {
	if [[ $1 =~ ^[0-9]+$ ]]; then
		echo "replica-$1"
	else
		echo "$1"
	fi
}

signal() { # SIGNAL NAME
	kill "-$1" "${PIDS[$(name_of "$2")]}"
}

# join NAME: waits for its end; its exit status is in STATUS.
join() {
	local name
	name=$(name_of "$1")
	STATUS=0
	wait "${PIDS[$name]}" || STATUS=$?
	unset "PIDS[$name]"
}

kill9() { # NAME...
	local name
	for name; do
		signal KILL "$name"
	done
	for name; do
		join "$name" 2>/dev/null
	done
}

# stop NAME...: SIGTERM, one after the other; each must end by itself with status 0.
stop() {
	local name
	for name; do
		signal TERM "$name"
		wait_for 20 "$name to stop" dead "${PIDS[$(name_of "$name")]}"
		join "$name"
		((STATUS == 0)) || fail "$name ended with status $STATUS after SIGTERM"
	done
}

# ends NAME STATUS PATTERN: a process that refuses its work: ends with STATUS within 20 s, saying PATTERN.
ends() {
	local name
	name=$(name_of "$1")
	wait_for 20 "$name to end by itself" dead "${PIDS[$name]}"
	join "$name"
	[[ $STATUS =~ ^$2$ ]] || fail "$name ended with status $STATUS, not $2"
	log_says "$name" "$3" || fail "$name did not say: $3"
}

# --- hosts ----------------------------------------------------------------------------------------------------------

on() { # N COMMAND...
	local pid=${HOSTS[$1]}
	shift
	nsenter --net --mount --root -t "$pid" "$@"
}

is_separate() { # N: the namespaces are made, and it holds them
	[[ $(readlink "/proc/${HOSTS[$1]}/ns/net") != "$(readlink /proc/self/ns/net)" ]] &&
		[[ $(tr '\0' ' ' <"/proc/${HOSTS[$1]}/cmdline") == sleep* ]]
}

rpcbind_of_host_answers() { on "$1" timeout 5 rpcinfo -p >/dev/null 2>&1; }

# host_rpcbind N: also again, after a kill.
host_rpcbind() {
	HOST_PID=${HOSTS[$1]}
	launch "rpcbind-$1" rpcbind -f
	HOST_PID=
	wait_for 10 "rpcbind on host $1" rpcbind_of_host_answers "$1"
}

# make_bridge [ADDRESS]: what the hosts are connected by; with an address this host is connected, too.
make_bridge() {
	ip link add bridge type bridge
	(($# == 0)) || ip address add "$1" dev bridge
	ip link set bridge up
}

# add_host N: a network and a mount namespace with a /run and an rpcbind of their own, 10.0.0.N on the bridge through
# vethN. What is launched while HOST_PID is ${HOSTS[N]} runs there.
add_host() {
	unshare --net --mount "$BASH" -c 'mount -t tmpfs tmpfs /run; exec sleep infinity' &
	HOSTS[$1]=$!
	PIDS[host-$1]=$!
	wait_for 10 "host $1" is_separate "$1"
	ip link add "veth$1" type veth peer name eth0 netns "${HOSTS[$1]}"
	ip link set "veth$1" master bridge up
	on "$1" ip link set lo up
	on "$1" ip address add "10.0.0.$1/24" dev eth0
	on "$1" ip link set eth0 up
	host_rpcbind "$1"
}

# --- the client -----------------------------------------------------------------------------------------------------

jh() { "$JH_BUILD/client/justhungry" --program-base "$BASE" "$@"; }

# try COMMAND...: runs the client; STATUS, OUT and ERR are its results.
try() {
	STATUS=0
	jh "$@" >"$LOGS/try.out" 2>"$LOGS/try.err" || STATUS=$?
	OUT=$(tr -d '\0' <"$LOGS/try.out")
	ERR=$(tr -d '\0' <"$LOGS/try.err")
	cat "$LOGS/try.err" >>"$LOGS/client.log"
}

# expect STATUS PATTERN COMMAND...: the client must end with STATUS (a pattern, too), and PATTERN be in what it says.
expect() {
	local status=$1 pattern=$2
	shift 2
	try "$@"
	[[ $STATUS =~ ^$status$ ]] || fail "justhungry $*: status $STATUS, not $status: $OUT $ERR"
	grep -q -E -- "$pattern" <<<"$OUT"$'\n'"$ERR" || fail "justhungry $*: does not say '$pattern': $OUT $ERR"
}

status_json() { jh --json status 2>/dev/null || true; }

# status_is FILTER: a jq condition on status.
status_is() { status_json | jq -e "$1" >/dev/null 2>&1; }
status_get() { status_json | jq -r "$1"; }

# id_told WHAT FILTER: the replica's id that FILTER finds in status, as soon as there is one: while a view changes there
# is no primary, and a status may miss its moment.
id_told() {
	local id=''
	an_id_is_told() { id=$(status_get "$2 // 0") && [[ $id =~ ^[1-9][0-9]*$ ]]; }
	wait_for 20 "$1" an_id_is_told "$@"
	echo "$id"
}

primary() { id_told "a primary" .primary; }
a_backup() { id_told "a backup" '([.replicas[] | select(.role == "backup") | .id] | first)'; }
op_of_cluster() { status_get '[.replicas[].op] | max // 0'; }
op_reached() { (($(op_of_cluster) + 0 >= $1)); } # unknown: no
role_is() { status_is ".replicas[] | select(.id == $1) | .role == \"$2\""; } # ID ROLE
serving() { status_is '.primary > 0 and .health != "unavailable"'; }

unavailable_says() { # PATTERN: no replica serves, and status says what must happen
	try status
	((STATUS == 4)) && grep -q -E -- "$1" <<<"$OUT$ERR"
}

# members_level N: N members, and the digests of all equal at an equal op.
members_level() {
	status_is "[.replicas[] | select(.role == \"primary\" or .role == \"backup\")] |
		length == $1 and ([.[].digest_op] | unique | length == 1) and ([.[].digest] | unique | length == 1)"
}

# form N: replicas 1..N and a front-end, all members, serving.
form() {
	local id
	for ((id = 1; id <= $1; id++)); do
		start_replica "$id"
	done
	start_frontend --new-cluster
	jh --timeout 60 status --wait "$1" >/dev/null || fail "no cluster of $1: $(status_json)"
}

# --- full segments --------------------------------------------------------------------------------------------------

# Orders of the largest size, so that a segment is soon used up, from so many at once that they share its writes.
BIG_AT_ONCE=8
BIG_ITEMS=$(printf ' %s' $(for item in {1..32}; do head -c 128 /dev/zero | tr '\0' "${item: -1}"; echo; done))
many_big() {
	local n
	rm -f "$SCRATCH/enough"
	for ((n = 1; n <= BIG_AT_ONCE; n++)); do
		# shellcheck disable=SC2016 # expanded by that shell
		launch "big-$n" "$BASH" -c 'until [[ -e $4 ]]; do yes "$1" | "$2" --program-base "$3" --timeout 2 shell; done' - \
			"order \"DH1 3LG\"$BIG_ITEMS" "$JH_BUILD/client/justhungry" "$BASE" "$SCRATCH/enough"
	done
}
no_big() {
	local n
	touch "$SCRATCH/enough"
	for ((n = 1; n <= BIG_AT_ONCE; n++)); do
		pkill -KILL -P "${PIDS[big-$n]}" || true
		join "big-$n" 2>/dev/null
	done
}

# wait_while_filling WHAT COMMAND...: as wait_for, for as long as orders are made: how fast they use up what was reserved for
# them hangs on the machine.
wait_while_filling() {
	local what=$1 op last=-1 deadline=$((SECONDS + 20))
	shift
	until "$@"; do
		if ((SECONDS >= deadline)); then
			op=$(op_of_cluster)
			[[ $op != "$last" ]] || fail "no order was made for 20 s, and in vain waited for: $what"
			last=$op deadline=$((SECONDS + 20))
		fi
		sleep 0.05
	done
}

# --- load, and the promise ------------------------------------------------------------------------------------------

# start_load NAME SECONDS [CLIENTS]: orders in the background until they surely flow.
start_load() {
	local before
	before=$(op_of_cluster)
	# shellcheck disable=SC2016 # expanded by that shell
	launch "$1" "$BASH" -c 'exec "${@:2}" >"$1"' - "$SCRATCH/$1.json" \
		"$JH_BUILD/client/justhungry" --program-base "$BASE" --timeout 60 --json \
		bench --yes --clients "${3:-16}" --seconds "$2" --postcodes 40 --log "$SCRATCH/$1.acknowledged"
	wait_for 30 "orders to flow" op_reached $((before + 50))
}

# orders_flow MORE WHEN: so many more orders than there are now are made.
orders_flow() {
	local before=''
	op_is_told() { before=$(op_of_cluster) && [[ -n $before ]]; }
	wait_for 20 "a status that tells ops" op_is_told
	wait_for 20 "$1 more orders $2" op_reached $((before + $1))
}

# hurry NAME: the load ends now, not at its time.
hurry() { kill -INT "${PIDS[$1]}" 2>/dev/null || true; }

# end_load NAME: the clients saw no error and no refusal, whatever was done to the cluster meanwhile.
end_load() {
	join "$1"
	((STATUS == 0)) || fail "$1 ended with status $STATUS"
	jq -e '.errors == 0 and .refused == 0' "$SCRATCH/$1.json" >/dev/null || fail "$1: $(jq -c . "$SCRATCH/$1.json")"
	echo "$1: $(jq -c '{orders_per_second, p50_us, p99_us, max_gap_us, errors, refused}' "$SCRATCH/$1.json")"
}

# audit NAME...: every order that these loads were told is done is in the history exactly once, under the op and
# number told; ops have no double, numbers neither double nor gap.
audit() {
	local name cluster told=$SCRATCH/told held=$SCRATCH/held missing doubled
	cluster=$(status_get .cluster)
	for name; do
		cat "$SCRATCH/$name.acknowledged"
	done | "$JH_BUILD/tests/integration/client_aliases" "$cluster" | sort >"$told"
	[[ -s $told ]] || fail "no order was acknowledged"
	cut -d ' ' -f 3,4 "$told" | sort -u | "$JH_BUILD/tests/integration/history_dump" "$BASE" | sort >"$held"
	missing=$(comm -23 "$told" "$held" | wc -l)
	((missing == 0)) || fail "$missing of $(wc -l <"$told") acknowledged orders are missing, as $(comm -23 "$told" "$held" | head -n 3)"
	doubled=$(cut -d ' ' -f 1,2 "$held" | uniq -d | wc -l)
	((doubled == 0)) || fail "$doubled orders are in the history twice"
	if cut -d ' ' -f 5 "$held" | sort | uniq -d | grep -q .; then
		fail "two orders have the same op"
	fi
	# Within each postcode the numbers behind the loaded ones rise by one.
	awk '{ print $3 $4, $6 }' "$held" | sort -k1,1 -k2,2n |
		awk '$1 == postcode && $2 != number + 1 { exit 1 } { postcode = $1; number = $2 }' || fail "numbers have a gap or a double"
	echo "audit: $(wc -l <"$told") orders acknowledged, each in the history once"
}

# finish NAME: the load ends now, and nothing of what it was told is lost.
finish() {
	hurry "$1"
	end_load "$1"
	audit "$1"
}

#!/bin/bash
# Just Hungry beside Redis and etcd on this machine, in one run: three nodes each, every order on three disks before it
# is confirmed, the same closed loop, in alternating rounds. Prints a table of medians with ratios, and then counts
# fdatasync on every replica while orders are placed one by one: each order must be one on each.
#
#   tests/bench/compare.sh [--seconds S] [--rounds N] [--build DIR] [--json FILE] [--no-etcd]
#
# Redis: appendfsync always on all three, WAIT 2 behind each order. etcd: puts to its leader through the HTTP gateway;
# left out where it cannot run. Installs what is missing from Debian, uses free ports and a free program base, stops by
# process id what it started, and removes its scratch directory. The figures are not for a machine that is busy with
# something else.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=
seconds=5
rounds=3
json=
with_etcd=true
unset JUSTHUNGRY_FRONTEND JUSTHUNGRY_PROGRAM_BASE # our own cluster is asked, not the caller's
PATH=$PATH:/usr/sbin:/sbin # rpcbind and rpcinfo
scratch=
base=
rpcbind_pid=
declare -A pids=()

usage() {
	echo "usage: tests/bench/compare.sh [--seconds S] [--rounds N] [--build DIR] [--json FILE] [--no-etcd]" >&2
	exit 2
}
while (($#)); do
	case $1 in
	--seconds) seconds=${2:-} && shift ;;
	--rounds) rounds=${2:-} && shift ;;
	--build) build=${2:-} && shift ;;
	--json) json=${2:-} && shift ;;
	--no-etcd) with_etcd=false ;;
	*) usage ;;
	esac
	shift || usage
done
[[ $seconds =~ ^[1-9][0-9]*$ && $rounds =~ ^[1-9][0-9]*$ ]] || usage

say() { printf '%s\n' "$*" >&2; }
fail() {
	say "compare: $*"
	local log
	for log in "${scratch:-/nonexistent}"/*.log; do
		[[ -s $log ]] || continue
		say "--- the end of ${log##*/}"
		tail -n 4 "$log" >&2
	done
	exit 1
}

wait_until() { # SECONDS WHAT COMMAND...
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || fail "gave up waiting for $what"
		sleep 0.1
	done
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

stop_all() {
	local name
	for name in "${!pids[@]}"; do
		kill "${pids[$name]}" 2>/dev/null || true
	done
	for name in "${!pids[@]}"; do
		for ((i = 0; i < 100; i++)); do
			kill -0 "${pids[$name]}" 2>/dev/null || break
			sleep 0.05
		done
		kill -KILL "${pids[$name]}" 2>/dev/null || true
		wait "${pids[$name]}" 2>/dev/null || true
		unset "pids[$name]"
	done
}

clean_up() {
	local status=$?
	trap - EXIT
	stop_all
	[[ -z $rpcbind_pid ]] || as_root kill "$rpcbind_pid" || true
	[[ -z $scratch ]] || rm -rf "$scratch"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() { # NAME COMMAND...: in a session of its own, so that control-C reaches us first
	local name=$1
	shift
	setsid "$@" >>"$scratch/$name.log" 2>&1 </dev/null &
	pids[$name]=$!
}

port_is_free() { ! ss -Hltn "sport = :$1" | grep -q .; }
free_port() { # sets port; below the range from which the kernel and our daemons take theirs
	port=$((15000 + RANDOM % 10000))
	until port_is_free "$port"; do
		port=$((15000 + RANDOM % 10000))
	done
}

# --- Redis ----------------------------------------------------------------------------------------------------------

redis_ports=()
redis() { redis-cli -p "${redis_ports[$1]}" "${@:2}"; }
# A stranger may have taken the port between our look and our start.
redis_is_ours() { [[ $(redis "$1" info server) == *"process_id:${pids[redis-$1]}"* ]]; }
redis_is_whole() { [[ $(redis 0 set compare whole) == OK && $(redis 0 wait 2 1000) == 2 ]]; }

start_redis() {
	local id options
	for id in 0 1 2; do
		free_port
		redis_ports+=("$port")
		mkdir "$scratch/redis-$id"
		options=()
		((id == 0)) || options=(--replicaof 127.0.0.1 "${redis_ports[0]}")
		start "redis-$id" redis-server --bind 127.0.0.1 --port "$port" --dir "$scratch/redis-$id" --appendonly yes \
			--appendfsync always --save '' --auto-aof-rewrite-percentage 0 --repl-diskless-sync-delay 0 \
			"${options[@]}"
		wait_until 20 "Redis $id on port $port" redis_is_ours "$id"
	done
	wait_until 30 "both Redis replicas to be in step" redis_is_whole
}

run_redis() { # CLIENTS SECONDS
	"$scratch/peer_bench" --protocol redis --port "${redis_ports[0]}" --replicas 2 --clients "$1" --seconds "$2"
}

# --- etcd -----------------------------------------------------------------------------------------------------------

etcd_port=
etcd_leader() { # sets etcd_port; the endpoint whose own id is the leader's
	local endpoint
	endpoint=$(ETCDCTL_API=3 etcdctl --endpoints "$etcd_endpoints" endpoint status --write-out json |
		jq -er '.[] | select(.Status.leader != 0 and .Status.leader == .Status.header.member_id) | .Endpoint') || return 1
	etcd_port=${endpoint##*:}
}

start_etcd() {
	local id cluster='' ports=() peers=()
	etcd_endpoints=
	for id in 0 1 2; do
		free_port
		ports+=("$port")
		free_port
		peers+=("$port")
		cluster+=${cluster:+,}node$id=http://127.0.0.1:$port
		etcd_endpoints+=${etcd_endpoints:+,}http://127.0.0.1:${ports[id]}
	done
	for id in 0 1 2; do
		start "etcd-$id" etcd --name "node$id" --data-dir "$scratch/etcd-$id" --log-level error \
			--listen-client-urls "http://127.0.0.1:${ports[id]}" --advertise-client-urls "http://127.0.0.1:${ports[id]}" \
			--listen-peer-urls "http://127.0.0.1:${peers[id]}" \
			--initial-advertise-peer-urls "http://127.0.0.1:${peers[id]}" --initial-cluster "$cluster" \
			--initial-cluster-state new --initial-cluster-token "compare-$$"
	done
	for ((i = 0; i < 200; i++)); do
		etcd_leader >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

run_etcd() { # CLIENTS SECONDS
	etcd_leader || return 1
	"$scratch/peer_bench" --protocol etcd --port "$etcd_port" --clients "$1" --seconds "$2"
}

# --- Just Hungry ----------------------------------------------------------------------------------------------------

rpcbind_answers() { timeout 5 rpcinfo -p; }
base_is_free() {
	! rpcinfo -p | awk -v low="$1" '$1 >= low && $1 <= low + 4095 { found = 1 } END { exit !found }'
}

start_rpcbind() {
	! rpcbind_answers >/dev/null 2>&1 || return 0
	# shellcheck disable=SC2016 # expanded by that shell, which writes the pid that sudo would hide
	as_root setsid sh -c 'echo $$ >"$1"; exec rpcbind -f' sh "$scratch/rpcbind.pid" >"$scratch/rpcbind.log" 2>&1 </dev/null &
	wait_until 10 "rpcbind to answer (start it with \`rpcbind\` as root)" rpcbind_answers
	rpcbind_pid=$(<"$scratch/rpcbind.pid")
}

start_justhungry() {
	local id
	base=540000000
	until base_is_free "$base"; do
		base=$((base + 10000))
	done
	for id in 1 2 3; do
		start "replica-$id" "$build/server/justhungry-server" --id "$id" --data-dir "$scratch/replica-$id" \
			--program-base "$base" --postcode-check grammar
	done
	start frontend "$build/frontend/justhungry-frontend" --data-dir "$scratch/frontend" --program-base "$base" --new-cluster
	jh --timeout 30 status --wait 3 >/dev/null || fail "the three replicas did not form a cluster"
}

jh() { "$build/client/justhungry" --program-base "$base" "$@"; }
run_justhungry() { jh --json bench --yes --clients "$1" --seconds "$2"; }

# --- rounds and table -----------------------------------------------------------------------------------------------

results() { printf '%s/results-%s-%s' "$scratch" "$1" "$2"; } # SYSTEM CLIENTS

measure() { # SYSTEM CLIENTS: one round, one line of JSON
	local line
	line=$("run_$1" "$2" "$seconds" 2>>"$scratch/bench-$1.log") || fail "$1 with $2 clients: the bench failed: $line"
	jq -e '(.errors // 0) == 0 and (.refused // 0) == 0 and .orders_per_second > 0' <<<"$line" >/dev/null ||
		fail "$1 with $2 clients: errors or refusals: $line"
	jq -c . <<<"$line" >>"$(results "$1" "$2")"
	say "$(printf '  %-11s %2d clients: %8.0f orders/s, p50 %6.0f us, p99 %6.0f us, longest %6.0f us' \
		"$1" "$2" "$(jq .orders_per_second <<<"$line")" "$(jq .p50_us <<<"$line")" "$(jq .p99_us <<<"$line")" \
		"$(jq .max_gap_us <<<"$line")")"
}

median() { # SYSTEM CLIENTS FIELD
	jq -s "map(.$3) | sort | .[length / 2 | floor]" "$(results "$1" "$2")"
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

print_table() { # SYSTEM...
	local system
	printf '\n%-12s %15s %8s %12s %12s %17s %8s\n' "" "64 clients" "Just" "p50" "p99" "1 client" "Just"
	printf '%-12s %15s %8s %12s %12s %17s %8s\n' "3 nodes" "orders/s" "Hungry" "us" "us" "median us" "Hungry"
	for system in "$@"; do
		printf '%-12s %15.0f %8s %12.0f %12.0f %17.0f %8s\n' "$system" "$(median "$system" 64 orders_per_second)" \
			"x $(ratio "$(median justhungry 64 orders_per_second)" "$(median "$system" 64 orders_per_second)")" \
			"$(median "$system" 64 p50_us)" "$(median "$system" 64 p99_us)" "$(median "$system" 1 p50_us)" \
			"x $(ratio "$(median justhungry 1 p50_us)" "$(median "$system" 1 p50_us)")"
	done
	printf '\nMedians of %d rounds of %d s. "Just Hungry": its figure divided by that row'\''s.\n' "$rounds" "$seconds"
}

# --- do the replicas really fsync? ----------------------------------------------------------------------------------

# traced FILE...: each thread with such a status in /proc has a tracer.
traced() { ! grep -q -E '^TracerPid:[[:space:]]+0$' "$@"; }

highest_op() { jh --json status | jq '[.replicas[].op] | max'; }

count_fdatasync() { # CLIENTS OPTION...: a bench run under strace; sets orders, elapsed and syncs (one for each replica)
	local id before tracers=()
	before=$(highest_op)
	for id in 1 2 3; do
		strace -f -c -e trace=fdatasync,fsync -o "$scratch/strace-$id" -p "${pids[replica-$id]}" 2>>"$scratch/strace.log" &
		tracers+=($!)
	done
	for id in 1 2 3; do
		wait_until 10 "strace to hold replica $id" traced "/proc/${pids[replica-$id]}/task/"*/status
	done
	jh --json bench --yes --clients "$@" >/dev/null || fail "the bench failed under strace"
	orders=$(($(highest_op) - before))
	kill "${tracers[@]}" 2>/dev/null || true
	wait "${tracers[@]}" 2>/dev/null || true
	syncs=()
	for id in 1 2 3; do
		syncs+=("$(awk '$NF == "fdatasync" || $NF == "fsync" { sum += $4 } END { print sum + 0 }' "$scratch/strace-$id")")
	done
}

may_trace() {
	strace -qq -o "$scratch/strace-probe" -e trace=fdatasync -p "${pids[replica-1]}" 2>"$scratch/strace-probe.log" &
	local probe=$! attached=false
	refused_or_traced() { ! kill -0 "$probe" || traced "/proc/${pids[replica-1]}/status"; }
	wait_until 10 "strace to hold a replica or to be refused" refused_or_traced
	! kill "$probe" 2>/dev/null || attached=true
	wait "$probe" 2>/dev/null || true
	$attached
}

prove_fsync() {
	local count
	if ! may_trace; then
		printf '\nfdatasync was not counted, strace may not attach here: %s\n' "$(head -n 1 "$scratch/strace-probe.log")"
		return
	fi
	count_fdatasync 1 --seconds 2
	printf '\nOne order at a time: %d orders; fdatasync calls on replicas 1, 2, 3: %s\n' "$orders" "${syncs[*]}"
	for count in "${syncs[@]}"; do
		((orders > 0 && count >= orders)) || fail "a replica confirmed $orders orders one by one with $count fdatasync calls"
	done
	count_fdatasync 64 --seconds 2
	printf '64 clients: %d orders; fdatasync calls on replicas 1, 2, 3: %s' "$orders" "${syncs[*]}"
	printf '; orders in a batch: %s\n' "$(for count in "${syncs[@]}"; do ratio "$orders" "$count"; echo -n ' '; done)"
}

# --- the run --------------------------------------------------------------------------------------------------------

packages=(redis-server strace iproute2)
if $with_etcd; then packages+=(etcd-server etcd-client); fi
if ! "$root/client/install-packages.sh" "${packages[@]}" >&2; then
	$with_etcd || exit 4
	with_etcd=false
	"$root/client/install-packages.sh" redis-server strace iproute2 >&2
	say "etcd cannot be installed here and is left out"
fi
cd "$root"
if [[ -z $build ]]; then
	build=$root/build/release
	mkdir -p "$root/build"
	say "building the release preset"
	{ cmake --preset release && cmake --build --preset release --target justhungry-server justhungry-frontend justhungry; } \
		>"$root/build/compare-build.log" 2>&1 || fail "the build failed: see build/compare-build.log"
fi
build=$(cd "$build" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/justhungry-compare.XXXXXX")
# shellcheck disable=SC2046 # options, one a word
cc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wconversion "$root/tests/bench/peer_bench.c" -o "$scratch/peer_bench" \
	$(pkg-config --cflags --libs libevent_core)

start_rpcbind
start_redis
start_justhungry
systems=(justhungry redis)
if $with_etcd; then
	if start_etcd; then
		systems+=(etcd)
	else
		say "etcd does not come up here and is left out: $(tail -n 1 "$scratch/etcd-0.log")"
	fi
fi

say "warming up"
for system in "${systems[@]}"; do
	"run_$system" 64 1 >/dev/null 2>>"$scratch/bench-$system.log" || fail "$system: the bench failed"
done
for ((round = 1; round <= rounds; round++)); do
	say "round $round of $rounds"
	for clients in 64 1; do
		for system in "${systems[@]}"; do
			measure "$system" "$clients"
		done
	done
done

print_table "${systems[@]}"
prove_fsync
if [[ -n $json ]]; then
	for system in "${systems[@]}"; do
		for clients in 64 1; do
			jq -c --arg system "$system" '. + {system: $system}' "$(results "$system" "$clients")"
		done
	done | jq -s . >"$json"
fi

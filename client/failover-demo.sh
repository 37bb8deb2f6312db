#!/bin/bash
# Just Hungry in a minute: builds it, starts three replicas and a front-end in a scratch directory, places orders,
# kills the primary with -9 while orders are flowing, checks that none is missing or doubled, and brings the killed
# replica back. Stops everything it started and nothing else. Exits with 0 only if everything it says did happen.
#
#   client/failover-demo.sh [--keep]     --keep leaves the cluster running and says how to play with it
set -euo pipefail

usage="usage: client/failover-demo.sh [--keep]    (--keep leaves the cluster running and says how to play with it)"
keep=false
for option; do
	case $option in
	--keep) keep=true ;;
	-h | --help)
		echo "$usage"
		exit 0
		;;
	*)
		echo "failover-demo: \"$option\" is no option; $usage" >&2
		exit 2
		;;
	esac
done

caller_frontend=${JUSTHUNGRY_FRONTEND:-}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/release
orders=$root/client/demo-orders.txt
default_base=540000000
unset JUSTHUNGRY_FRONTEND JUSTHUNGRY_PROGRAM_BASE # our own cluster is asked, not the caller's
PATH=$PATH:/usr/sbin:/sbin # where Debian keeps rpcbind and rpcinfo; not in every PATH
scratch=
base=
rpcbind_pid=
declare -A pids=() # "frontend", "replica-N" -> process id

# --- telling the story ------------------------------------------------------------------------------------------------

bold='' dim='' green='' red='' plain=''
columns=0 # of the terminal; 0: there is none
if [[ -t 1 ]]; then
	read -r _ columns < <(stty size <&1 2>/dev/null) || true
	((columns > 0)) || columns=${COLUMNS:-80}
fi
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
step_number=0
step() { printf '\n%s%d. %s%s\n' "$bold" $((++step_number)) "$*" "$plain"; }
# fitted FIRST TEXT...: TEXT behind FIRST, which takes four columns at most; broken between words where there is no room.
fitted() {
	local first=$1 line='' word words
	shift
	read -r -a words <<<"$*"
	for word in "${words[@]}"; do
		if ((columns > 0)) && [[ -n $line ]] && ((5 + ${#line} + 1 + ${#word} > columns)); then
			printf '%s%s\n' "$first" "$line"
			first='     ' line=$word
		else
			line+=${line:+ }$word
		fi
	done
	printf '%s%s\n' "$first" "$line"
}
say() { fitted '   ' "$*"; }
indent() { sed 's/^/   /'; }
good() { fitted "   $green✓$plain " "$*"; }
shown() { printf '   %s$ %s%s\n' "$dim" "$*" "$plain"; }

fail() {
	printf '\n%sfailover-demo: %s%s\n' "$red" "$*" "$plain" >&2
	if [[ -n $scratch ]]; then
		for log in "$scratch"/*.log; do
			[[ -s $log ]] || continue
			printf '\n--- the end of %s\n' "${log##*/}" >&2
			tail -n 15 "$log" >&2
		done
	fi
	exit 1
}

# wait_until SECONDS WHAT COMMAND...: polls COMMAND until it succeeds.
wait_until() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		((SECONDS < deadline)) || fail "gave up waiting for: $what"
		sleep 0.05
	done
}

# --- what we start, and its end -------------------------------------------------------------------------------------

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

stop_process() { # SIGNAL NAME
	local pid=${pids[$2]:-}
	[[ -n $pid ]] || return 0
	kill "-$1" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	unset "pids[$2]"
}

stop_rpcbind() {
	[[ -n $rpcbind_pid ]] || return 0
	as_root kill "$rpcbind_pid" 2>/dev/null || true
	wait 2>/dev/null || true
	rpcbind_pid=
}

clean_up() {
	local status=$? name
	trap - EXIT
	for name in "${!pids[@]}"; do
		kill "${pids[$name]}" 2>/dev/null || true
	done
	for name in "${!pids[@]}"; do
		for ((i = 0; i < 100; i++)); do
			kill -0 "${pids[$name]}" 2>/dev/null || break
			sleep 0.05
		done
		stop_process KILL "$name"
	done
	stop_rpcbind
	[[ -z $scratch ]] || rm -rf "$scratch"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rpcbind_answers() { timeout 5 rpcinfo -p >/dev/null 2>&1; }

# By its local socket alone, as above, no daemon finds another.
check_network_of_rpcbind() {
	(: </dev/tcp/127.0.0.1/111) 2>/dev/null ||
		fail "rpcbind runs here, but answers on its local socket only: install netbase (/etc/services) and restart it"
}

# Before anything is built: a user who may not start one has to ask an administrator.
need_rpcbind() {
	if ! rpcbind_answers && ((EUID != 0)) && ! sudo -n true 2>/dev/null && ! { [[ -t 0 ]] && sudo -v; }; then
		echo "failover-demo: no rpcbind is running, and starting it needs root: start it with \`rpcbind\` as root" >&2
		exit 4
	fi
}

start_rpcbind() {
	if rpcbind_answers; then
		check_network_of_rpcbind
		say "rpcbind is running already: it stays as it is"
		return
	fi
	# In a session of its own, so that control-C reaches us first; the shell writes the pid that sudo would hide.
	# shellcheck disable=SC2016 # expanded by that shell
	as_root setsid sh -c 'echo $$ >"$1"; exec rpcbind -f' sh "$scratch/rpcbind.pid" >"$scratch/rpcbind.log" 2>&1 </dev/null &
	wait_until 10 "rpcbind to answer" rpcbind_answers
	rpcbind_pid=$(<"$scratch/rpcbind.pid")
	check_network_of_rpcbind
	say "no rpcbind was running: started one (pid $rpcbind_pid)"
}

base_is_free() {
	! rpcinfo -p | awk -v low="$1" '$1 >= low && $1 <= low + 4095 { found = 1 } END { exit !found }'
}

choose_base() {
	base=$default_base
	while ! base_is_free "$base"; do
		base=$((base + 10000))
	done
	if ((base == default_base)); then
		say "program numbers: front-end $base, replica N = $base + N"
	else
		say "program number $default_base is taken by another cluster: this one uses $base"
	fi
}

start_replica() { # ID
	# setsid: with --keep it must outlive this terminal's control-C
	setsid "$build/server/justhungry-server" --id "$1" --data-dir "$scratch/replica-$1" --program-base "$base" \
		>>"$scratch/replica-$1.log" 2>&1 </dev/null &
	pids[replica-$1]=$!
}

start_frontend() { # OPTION...
	setsid "$build/frontend/justhungry-frontend" --data-dir "$scratch/frontend" --program-base "$base" "$@" \
		>>"$scratch/frontend.log" 2>&1 </dev/null &
	pids[frontend]=$!
}

# What it prints is indented by three columns.
client() { COLUMNS=$((columns > 3 ? columns - 3 : columns)) "$build/client/justhungry" --program-base "$base" "$@"; }
status_json() { client --json status 2>/dev/null; }

# --- the questions asked of the cluster -----------------------------------------------------------------------------

primary() { status_json | jq -r '.primary // 0'; }
highest_op() { status_json | jq -r '[.replicas[].op] | max // 0'; }
orders_flow() { (($(highest_op) >= $1)); } # OP

# All three are members, and their digests are equal at an equal digest_op.
all_level() {
	status_json | jq -e '
		.health == "ok" and
		([.replicas[] | select(.role == "primary" or .role == "backup")] | length == 3) and
		([.replicas[].digest_op] | unique | length == 1) and
		([.replicas[].digest] | unique | length == 1)' >/dev/null
}

# Every order to these postcodes, as bench logs them: CLIENT REQUEST POSTCODE OP NUMBER.
all_orders() { # POSTCODE...
	local postcode
	for postcode in "$@"; do
		client --timeout 60 --json history --limit 0 "$postcode" |
			jq -r '.postcode as $to | .orders[] | select(.op > 0) | "\(.client) \(.request) \($to) \(.op) \(.number)"'
	done
}

# What histories show of a client id: the first half of SHA-256(cluster id, client id).
alias_of() { # CLUSTER CLIENT
	local hex=${1//-/}${2//-/} bytes=
	while [[ -n $hex ]]; do
		bytes+="\\x${hex:0:2}"
		hex=${hex:2}
	done
	# shellcheck disable=SC2059 # the bytes are the format
	printf "$bytes" | sha256sum | sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/'
}

# The same lines, with each client as histories show it.
with_aliases() { # CLUSTER FILE
	local client
	while read -r client; do
		echo "$client $(alias_of "$1" "$client")"
	done < <(cut -d ' ' -f 1 "$2" | sort -u) | awk 'NR == FNR { alias[$1] = $2; next } { $1 = alias[$1]; print }' - "$2"
}

# --- the story ------------------------------------------------------------------------------------------------------

step "Build (what is missing of Debian's packages is installed first)"
"$root/client/install-packages.sh"
need_rpcbind
mkdir -p "$root/build"
cd "$root"
if ! { cmake --preset release && cmake --build --preset release --target justhungry-server justhungry-frontend justhungry; } \
	>"$root/build/demo-build.log" 2>&1; then
	tail -n 40 "$root/build/demo-build.log" >&2
	fail "the build failed: see build/demo-build.log"
fi
good "built into build/release"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/justhungry-demo.XXXXXX")
step "Three replicas, and one front-end that decides which of them is primary"
start_rpcbind
choose_base
for id in 1 2 3; do
	start_replica "$id"
done
start_frontend --new-cluster
client --timeout 30 status --wait 3 >/dev/null || fail "the three replicas did not form a cluster"
good "formed a cluster; nothing was configured but the directories: they found each other through rpcbind"
shown "rpcinfo -p"
rpcinfo -p | awk -v low="$base" '$1 == "program" || ($1 >= low && $1 <= low + 3)' | sort -k 1,1n | indent

step "Orders from $(basename "$orders")"
placed=0
while IFS='|' read -r customer postcode items; do
	customer=${customer%%*( )}
	read -r customer <<<"$customer"
	read -r postcode <<<"$postcode"
	[[ -n $customer && $customer != \#* ]] || continue
	words=() typed="justhungry order --customer $customer \"$postcode\""
	while read -r item; do
		words+=("$item")
		typed+=" \"$item\""
	done < <(tr ',' '\n' <<<"$items")
	shown "$typed"
	client order --customer "$customer" "$postcode" "${words[@]}" </dev/null 2>&1 | indent || fail "an order was not placed"
	placed=$((placed + 1))
done <"$orders"
good "$placed orders, each on three disks before it was confirmed"
shown "justhungry history \"DH1 3LE\""
client history "DH1 3LE" | indent
shown "justhungry status"
client status | indent

victim=$(primary)
((victim > 0)) || fail "status names no primary"
step "kill -9 of the primary (replica $victim) while 8 clients keep ordering"
before=$(highest_op)
client --json bench --yes --clients 8 --seconds 4 --log "$scratch/acknowledged" >"$scratch/bench.json" 2>"$scratch/bench.log" </dev/null &
pids[bench]=$!
wait_until 20 "orders to flow" orders_flow $((before + 500))
stop_process KILL "replica-$victim"
say "killed replica $victim (no warning, no clean-up)"
bench_status=0
wait "${pids[bench]}" || bench_status=$?
unset "pids[bench]"
((bench_status == 0)) || fail "the clients ended with status $bench_status: $(<"$scratch/bench.log")"
successor=$(primary)
((successor > 0 && successor != victim)) || fail "no other replica became primary (status names $successor)"
good "replica $successor is primary now"
read -r errors refused gap_us per_second < <(jq -r '[.errors, .refused, .max_gap_us, .orders_per_second | floor] | @tsv' \
	"$scratch/bench.json")
((errors == 0 && refused == 0)) || fail "$errors errors and $refused refusals reached a client"
good "no client saw an error or a refusal"
good "the longest that any client waited: $(awk -v us="$gap_us" 'BEGIN { printf "%.1f", us / 1000 }') ms" \
	"${dim}(at $per_second orders/s, each fsynced on every replica)$plain"

step "No order is missing, none is doubled"
# What the clients were told, against what the cluster holds.
told=$scratch/told held=$scratch/held
with_aliases "$(status_json | jq -r .cluster)" "$scratch/acknowledged" | sort >"$told"
mapfile -t postcodes < <(cut -d ' ' -f 3,4 "$told" | sort -u)
((${#postcodes[@]})) || fail "the load acknowledged no order"
all_orders "${postcodes[@]}" | sort >"$held"
missing=$(comm -23 "$told" "$held" | wc -l)
doubled=$(cut -d ' ' -f 1,2 "$held" | uniq -d | wc -l)
((missing == 0)) || fail "$missing acknowledged orders are missing from the history"
((doubled == 0)) || fail "$doubled orders are in the history twice"
good "$(wc -l <"$told") orders were acknowledged; each is in the history exactly once, under the number its client was told"

step "Replica $victim comes back"
start_replica "$victim"
wait_until 60 "replica $victim to catch up" all_level
good "it is a member again, and level: the same digest of the same history on all three"
shown "justhungry status"
client status | indent

if $keep; then
	trap - EXIT INT TERM
	cat <<END

${bold}The cluster keeps running.${plain} Play with it:
   alias jh='$build/client/justhungry --program-base $base${caller_frontend:+ --frontend 127.0.0.1}'
   jh order "DH1 3LE" soup bread
   jh history "DH1 3LE"
   jh status --watch
   jh switchover
   jh shell
   rpcinfo -T tcp 127.0.0.1 $base 2
Its data and logs are in $scratch.
Stop it and remove them with:
   kill ${pids[*]}${rpcbind_pid:+; $( ((EUID == 0)) || echo "sudo ")kill $rpcbind_pid}; sleep 3; rm -rf $scratch
END
	exit 0
fi

step "Stop what this demo started"
stop_process TERM frontend
for id in 1 2 3; do
	stop_process TERM "replica-$id"
done
base_is_free "$base" || fail "a stopped process left its registration in rpcbind"
stop_rpcbind
good "all stopped, nothing left in rpcbind, $scratch removed"

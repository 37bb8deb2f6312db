# shellcheck shell=bash
# The cluster that is broken: replicas 1 to 3 (4 joins and leaves) and a front-end. With namespaces every one of them is
# on a host of its own, 10.0.0.ID and 10.0.0.9, with a /run and an rpcbind of its own, and the driver and the clients
# are on 10.0.0.254; else all share this host. Sourced after tests/integration/lib.sh.

FRONTEND_HOST=127.0.0.1 # of host 9, when there are hosts
SEGMENT_BYTES=8388608 # the least: segments change often
PRELOAD_LIBRARY=$JH_BUILD/tests/chaos/libchaos_shim.so # of builds without sanitizers only
[[ -e $PRELOAD_LIBRARY ]] || PRELOAD_LIBRARY=''
REPLICAS=(1 2 3)

make_hosts() {
	local host
	# A disk that can be filled, with room for what a long run orders. Mounted before the hosts are made, so that they see it.
	mkdir "$(replica_dir 3)"
	mount -t tmpfs -o size=1g tmpfs "$(replica_dir 3)"
	make_bridge 10.0.0.254/24
	for host in 1 2 3 4 9; do
		add_host "$host"
	done
	FRONTEND_HOST=10.0.0.9
}

jh() { "$JH_BUILD/client/justhungry" --program-base "$BASE" --frontend "$FRONTEND_HOST" "$@"; }

control_of() { echo "$SCRATCH/control-$1"; } # the shim's, of a replica or (9) the front-end

with_shim() { # ID COMMAND...
	local id=$1
	shift
	if [[ -z $PRELOAD_LIBRARY ]]; then
		"$@"
		return
	fi
	printf '%-64s' - >"$(control_of "$id")"
	LD_PRELOAD=$PRELOAD_LIBRARY JH_SHIM_CONTROL=$(control_of "$id") "$@"
}

up() { # ID...: starts replicas
	local id options
	for id; do
		options=(--segment-bytes "$SEGMENT_BYTES")
		[[ -z ${HOSTS[$id]:-} ]] || options+=(--listen "10.0.0.$id" --frontend "$FRONTEND_HOST")
		HOST_PID=${HOSTS[$id]:-}
		with_shim "$id" start_replica "$id" "${options[@]}"
		HOST_PID=
	done
}

up_frontend() { # OPTION...
	local options=("$@")
	[[ -z ${HOSTS[9]:-} ]] ||
		options+=(--listen 10.0.0.9 --replica-hosts 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4)
	HOST_PID=${HOSTS[9]:-}
	with_shim 9 start_frontend "${options[@]}"
	HOST_PID=
}

form_cluster() {
	[[ -z ${JH_OWN_HOST:-} ]] || make_hosts
	up "${REPLICAS[@]}"
	up_frontend --new-cluster
	jh --timeout 10 status --wait 3 >/dev/null || fail "no cluster: $(status_json)"
}

# Three members, one of them serving.
well() {
	status_is '([.replicas[] | select(.role == "primary" or .role == "backup")] | length == 3) and
		([.replicas[] | select(.role == "primary" and .state == "serving")] | length == 1)'
}

# --- the clients ----------------------------------------------------------------------------------------------------

RUN=$SCRATCH/run # history, faults and verdict
CLIENTS=8
POSTCODES=4

start_recorder() { # SECONDS
	mkdir "$RUN"
	: >"$RUN/faults"
	launch recorder "$JH_BUILD/tests/chaos/chaos_recorder" load "$BASE" "$FRONTEND_HOST" "chaos-$SEED" "$RUN" \
		"$CLIENTS" "$POSTCODES" "$1" "${JH_THINK_US:-3000}" "$SEED"
}

# Microseconds of the clock of the recorder, to 10 ms.
now_us() {
	local up
	read -r up _ </proc/uptime
	NOW=$((10#${up%.*} * 1000000 + 10#${up#*.} * 10000))
}

acknowledged() {
	ACKNOWLEDGED=0
	{ read -r ACKNOWLEDGED <"$RUN/progress"; } 2>/dev/null || true
}

# Waits until some more than 50 orders were acknowledged within the last 1.2 seconds, no longer because the machine
# stood still; STEADY_AT says when that was.
STEADY_AT=0
steady() {
	local deadline=$((SECONDS + ${1:-60})) before since
	while ((SECONDS < deadline)); do
		dead "${PIDS[recorder]}" && fail "the recorder has ended"
		acknowledged
		before=$ACKNOWLEDGED
		now_us
		since=$NOW
		until now_us && ((NOW >= since + 1200000)); do
			sleep 0.05
		done
		acknowledged
		STEADY_AT=$NOW
		((ACKNOWLEDGED < before + 80 || NOW > since + 1500000)) || return 0
	done
	echo "orders do not flow: $((ACKNOWLEDGED - before)) in the last second" >&2
	return 0 # the verdict will not count the fault
}

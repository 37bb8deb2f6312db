# shellcheck shell=bash
# Faults of connections that live on while their bytes are late. On the hosts concerned nft redirects what they dial to
# a relay (relay.c), and the connections of before are ended, so that all go through it; only when all is well again
# does the harm begin. Sourced by run.sh after faults_net.sh.

RELAY_PORT=5999
RELAY_MARK=7
RELAYS=() # hosts that have one

# Tried out in the driver's own namespace.
relays_work() {
	nft "add table ip relay_probe; add chain ip relay_probe out { type nat hook output priority -100; };
		add rule ip relay_probe out tcp dport 1 redirect to :2; delete table ip relay_probe" 2>/dev/null || return 1
	exec 5<>/dev/tcp/127.0.0.1/111
	ss -K dst 127.0.0.1 dport = 111 >/dev/null 2>&1 || true
	local status=0
	read -r -t 1 -u 5 2>/dev/null || status=$? # above 128: nothing came, and it has not ended
	exec 5>&-
	((status <= 128))
}
if relays_work; then
	RELAYS_WORK=yes
	FAULTS+=(delayed_connections trickling_connection stalled_connection)
fi

tell_relay() { echo "${*:2}" 1<>"$SCRATCH/relay-$1"; } # HOST COMMAND...
relay_is() { log_says "relay-$1" "$2"; }

start_relay() { # HOST TO: for connections from HOST to TO, one or more addresses in nft's syntax
	local host=$1 name=relay-$1
	rm -f "$SCRATCH/$name" "$LOGS/$name.log"
	mkfifo "$SCRATCH/$name"
	HOST_PID=${HOSTS[$host]}
	launch "$name" "$JH_BUILD/tests/chaos/chaos_relay" "$RELAY_PORT" "$RELAY_MARK" "$SCRATCH/$name"
	HOST_PID=
	wait_for 10 "the relay on host $host" relay_is "$host" ready
	on "$host" nft "add table ip relay; add chain ip relay out { type nat hook output priority -100; };
		add rule ip relay out ip daddr $2 ip daddr != 10.0.0.$host meta mark != $RELAY_MARK tcp dport 1-65535 \
		redirect to :$RELAY_PORT"
	RELAYS+=("$host")
}

# All that VICTIM's host has to do with the others', or with `all` everything between the four.
relay_connections() {
	local host other
	for host in 1 2 3 9; do
		if [[ $VICTIM == all || $VICTIM == "$host" ]]; then
			start_relay "$host" 10.0.0.1-10.0.0.9
		else
			start_relay "$host" "10.0.0.$VICTIM"
		fi
	done
	for host in "${RELAYS[@]}"; do
		[[ $VICTIM == all || $VICTIM == "$host" ]] || continue
		for other in 1 2 3 9; do
			on "$host" ss -K dst "10.0.0.$other" >/dev/null 2>&1
		done
	done
	wait_for 30 "connections through a relay" some_relay carries
	wait_for 90 "the cluster to be well with relays" well
	steady
}

some_relay() {
	local host
	for host in "${RELAYS[@]}"; do
		relay_is "$host" "$1" && return
	done
	return 1
}

# Everything waits and comes at last; only then the relays go, and with them their connections.
end_relays() {
	local host
	for host in "${RELAYS[@]}"; do
		tell_relay "$host" pass
	done
	wait_for 10 "a relay to have held something" some_relay 'passes: [1-9]'
	linger 500
	for host in "${RELAYS[@]}"; do
		kill9 "relay-$host"
		on "$host" nft delete table ip relay
	done
	RELAYS=()
}

# What travels from VICTIM, to it, or both, as drawn.
late_bytes() { # COMMAND
	local host ways=(out in both) back=(in out both)
	draw 3
	mark
	for host in "${RELAYS[@]}"; do
		if [[ $VICTIM == "$host" ]]; then
			tell_relay "$host" "$1" "${ways[DRAWN]}"
		else
			tell_relay "$host" "$1" "${back[DRAWN]}"
		fi
	done
	echo "# host $VICTIM: $1 ${ways[DRAWN]}" >>"$RUN/begun"
	linger 3000
	end_relays
}

pick_host() {
	draw 3
	case $DRAWN in
	0) pick_primary ;;
	1) pick_backup ;;
	2) VICTIM=9 ;;
	esac
}

# On each host by another time, up to beyond what is waited for a sign of life.
fault_delayed_connections() {
	local host ways=(out in both)
	VICTIM=all
	relay_connections
	mark
	for host in "${RELAYS[@]}"; do
		draw 300
		tell_relay "$host" delay $((DRAWN + 1)) "${ways[DRAWN % 3]}"
	done
	linger 3000
	end_relays
}

fault_trickling_connection() {
	pick_host || return 1
	relay_connections
	draw 10000
	late_bytes "trickle $((DRAWN + 10))"
}

fault_stalled_connection() {
	pick_host || return 1
	relay_connections
	late_bytes stall
}

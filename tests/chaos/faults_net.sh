# shellcheck shell=bash
# Faults between hosts, each of which has a packet filter of its own (nft): packets are dropped silently. Sourced by
# run.sh.

NETWORK_FAULTS=yes
FAULTS+=(cut_primary_from_backup cut_primary_from_frontend cut_backup_from_frontend cut_one_way isolate_primary
	isolate_backup isolate_frontend lossy_network)

filter() { # HOST RULE...: on what comes in
	local host=$1
	shift
	on "$host" nft "add table inet cut; add chain inet cut in { type filter hook input priority 0; };
		add rule inet cut in $*"
	FILTERED+=("$host")
}
heal() {
	local host
	for host in "${FILTERED[@]}"; do
		on "$host" nft delete table inet cut 2>/dev/null || true
	done
	FILTERED=()
}
FILTERED=()

sever() { # HOST HOST: both ways
	filter "$1" ip saddr "10.0.0.$2" drop
	filter "$2" ip saddr "10.0.0.$1" drop
}

# Longer than any process waits for a sign of life, or shorter; otherwise the network works.
for_a_while() {
	linger 3000
	heal
}

fault_cut_primary_from_backup() {
	local backup
	pick_backup || return 1
	backup=$VICTIM
	pick_primary || return 1
	mark
	sever "$VICTIM" "$backup"
	for_a_while
}
fault_cut_primary_from_frontend() {
	pick_primary || return 1
	mark
	sever "$VICTIM" 9
	for_a_while
}
fault_cut_backup_from_frontend() {
	pick_backup || return 1
	mark
	sever "$VICTIM" 9
	for_a_while
}

# Any two of the four; one hears the other, but not back.
fault_cut_one_way() {
	local hosts=(1 2 3 9) from
	draw 4
	from=${hosts[DRAWN]}
	hosts=("${hosts[@]:0:DRAWN}" "${hosts[@]:DRAWN+1}")
	draw 3
	mark
	filter "${hosts[DRAWN]}" ip saddr "10.0.0.$from" drop
	for_a_while
}

isolate() { # HOST: from all but the driver and the clients
	mark
	filter "$1" ip saddr 10.0.0.1-10.0.0.9 drop
	for_a_while
}
fault_isolate_primary() { pick_primary && isolate "$VICTIM"; }
fault_isolate_backup() { pick_backup && isolate "$VICTIM"; }
fault_isolate_frontend() { isolate 9; }

fault_lossy_network() {
	local host percent
	draw 30
	percent=$((DRAWN + 1))
	mark
	for host in 1 2 3 9; do
		filter "$host" ip saddr 10.0.0.1-10.0.0.9 numgen random mod 100 '<' "$percent" drop
	done
	for_a_while
}

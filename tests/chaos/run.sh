#!/bin/bash
# Injects faults into a real cluster for some minutes, in an order drawn from a seed, while clients order and read; then
# checks all that they saw. The verdict is the last line; see docs/testing.md, "Chaos".
#
#     tests/chaos/run.sh [--seed N] [--minutes M | --seconds S] [--faults NAME,NAME...] [--keep DIR]
#
# Runs the programs of $JH_BUILD (build/release). Status: 0 passed, 1 the promise was broken (or a process misbehaved), 3
# invalid: served too little to prove anything. With --keep, history, logs and verdict always stay in DIR; without it
# only after a failure, in a directory that is printed.
: "${JH_BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/release}"
CHAOS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$CHAOS/../integration/lib.sh"

SEED=$RANDOM$RANDOM SECONDS_TO_RUN=${JH_CHAOS_SECONDS:-45} KEEP='' ONLY=''
usage() {
	echo "usage: tests/chaos/run.sh [--seed N] [--minutes M | --seconds S] [--faults NAME,NAME...] [--keep DIR]" >&2
	exit 2
}
while (($#)); do
	(($# >= 2)) || usage
	case $1 in
	--seed) SEED=$2 ;;
	--minutes) SECONDS_TO_RUN=$(($2 * 60)) ;;
	--seconds) SECONDS_TO_RUN=$2 ;;
	--faults) ONLY=$2 ;;
	--keep) KEEP=$2 ;;
	*) usage ;;
	esac
	shift 2
done
[[ $SEED =~ ^[0-9]{1,18}$ && $SECONDS_TO_RUN =~ ^[0-9]+$ ]] || usage

FAULTS=()
source "$CHAOS/cluster.sh"
source "$CHAOS/faults.sh"
source "$CHAOS/faults_disk.sh"
source "$CHAOS/faults_host.sh"
if [[ -n ${JH_OWN_HOST:-} ]] && nft list tables >/dev/null 2>&1; then
	source "$CHAOS/faults_net.sh"
	source "$CHAOS/faults_relay.sh"
fi
source "$CHAOS/faults_hard.sh"
# What this run cannot do is said, not passed over.
left_out() {
	[[ -n ${JH_OWN_HOST:-} ]] ||
		echo "left out, needs root: hosts of their own, networks, rpcbind, full disks, second front-ends"
	[[ -z ${JH_OWN_HOST:-} || -n ${NETWORK_FAULTS:-} ]] ||
		echo "left out, needs nft (nftables): faults between hosts"
	[[ -z ${NETWORK_FAULTS:-} || -n ${RELAYS_WORK:-} ]] ||
		echo "left out, needs a kernel with nft's redirect and sock_diag's destroy: delayed, trickling, stalled"
	[[ -n $PRELOAD_LIBRARY ]] ||
		echo "left out, needs a build without sanitizers: failing syncs, lost writes, slow disks, clocks"
}
if [[ -n $ONLY ]]; then
	IFS=, read -r -a chosen <<<"$ONLY"
	for kind in "${chosen[@]}"; do
		[[ " ${FAULTS[*]} lying_disks " == *" $kind "* ]] || skip "$kind needs root, another build, or nft"
	done
	FAULTS=("${chosen[@]}")
fi
RANDOM=$((SEED % 32768)) # bash's generator takes no more; the rest of the seed is in the clients

# What is left behind: on failure always, then where the clean-up of lib.sh does not reach.
keep_evidence() {
	local status=$? id
	trap - ERR
	set +e
	if [[ -z $KEEP ]] && ((status != 0 && status != SKIPPED)); then
		KEEP=$(mktemp -d "${TMPDIR:-/tmp}/justhungry-chaos-$SEED.XXXXXX")
	fi
	if [[ -n $KEEP ]]; then
		mkdir -p "$KEEP"
		cp -r "$LOGS" "$RUN" "$KEEP" 2>/dev/null
		((status == 0)) || for id in 1 2 3 4; do
			cp -r "$(replica_dir "$id")" "$KEEP" 2>/dev/null
		done
		((status == 0)) || cp -r "$SCRATCH/frontend" "$KEEP" 2>/dev/null
		echo "seed $SEED: history, logs and verdict are in $KEEP" >&2
	fi
	(exit "$status")
	clean_up
}
trap keep_evidence EXIT

# FAULTS in a new order.
shuffle() {
	local i kind
	for ((i = ${#FAULTS[@]} - 1; i > 0; i--)); do
		draw $((i + 1))
		kind=${FAULTS[i]}
		FAULTS[i]=${FAULTS[DRAWN]}
		FAULTS[DRAWN]=$kind
	done
}

one_fault() { # KIND
	local kind=$1
	steady
	mark
	echo "$AT $kind" >>"$RUN/begun"
	"fault_$kind" || fail "no replica to choose for $kind: $(status_json)"
	wait_for 90 "the cluster to be well after $kind" well
	now_us
	echo "fault $kind $AT $NOW" >>"$RUN/faults"
}

form_cluster
start_recorder $((SECONDS_TO_RUN + 600))
end=$((SECONDS + SECONDS_TO_RUN))
while ((SECONDS < end)); do
	shuffle
	for kind in "${FAULTS[@]}"; do
		((SECONDS < end)) || break
		one_fault "$kind"
	done
done
steady

signal TERM recorder
wait_for 90 "the clients to end" dead "${PIDS[recorder]}"
join recorder
((STATUS == 0)) || fail "the recorder ended with status $STATUS"
wait_for 60 "equal digests on all three" members_level 3
"$JH_BUILD/tests/chaos/chaos_recorder" final "$BASE" "$FRONTEND_HOST" "chaos-$SEED" "$POSTCODES" >"$RUN/final"
level_digest=$(status_get '.replicas[] | select(.role == "primary") | .digest')
stop frontend "${REPLICAS[@]}"
for id in "${REPLICAS[@]}"; do
	"$JH_BUILD/server/justhungry-server" --check "$(replica_dir "$id")" >"$RUN/check-$id" ||
		fail "replica $id: $(<"$RUN/check-$id")"
	[[ $(jq -r .digest "$RUN/check-$id") == "$level_digest" ]] ||
		fail "replica $id has another digest on disk: $(<"$RUN/check-$id")"
done

STATUS=0
"$JH_BUILD/tests/chaos/chaos_check" "$RUN"/*.history "$RUN/final" "$RUN/faults" >"$RUN/verdict" || STATUS=$?
[[ -n $ONLY ]] || left_out
cat "$RUN/verdict"
echo "seed $SEED, $SECONDS_TO_RUN s, all members at digest $level_digest"
exit "$STATUS"

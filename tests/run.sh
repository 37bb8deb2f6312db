#!/bin/bash
# Builds Just Hungry with sanitizers and runs its tests through ctest; --help says which. Installs missing Debian
# packages first. Needs no internet beyond that, leaves nothing running behind.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
exec </dev/null
unset JUSTHUNGRY_FRONTEND JUSTHUNGRY_PROGRAM_BASE # our own cluster is asked, not the caller's
PATH=$PATH:/usr/sbin:/sbin # rpcbind and rpcinfo

usage() {
	cat <<-'END'
		usage: tests/run.sh [CTEST-ARGUMENT...]
		           with ASan and UBSan, in build/dev; without arguments everything but the labels model,
		           mutation and build: under 10 minutes on two cores
		       tests/run.sh --all
		           that, then builds as others make them (gcc, clang, gcc 14 in a tree of Debian 13), in a release
		           build the model, all mutations, a longer simulation and longer chaos, every fuzzer with clang,
		           and ThreadSanitizer: under 45 minutes on two cores
		       tests/run.sh --help

		tests/run.sh -L unit          one label: unit, sim, scenario, integration, chaos, fuzz, model, mutation,
		                              build
		tests/run.sh -R kill_primary  one test

		environment  JH_SIM_SECONDS    how long new seeds are simulated     (60; --all: 120)
		             JH_CHAOS_SECONDS  how long a cluster is broken         (45; --all: 300)
		             JH_FUZZ_RUNS      new inputs that each fuzzer gets     (--all: 20000)
		             MODEL_SECONDS     a search of the model may take       (250)
		             JH_DEBIAN_13      where the tree of Debian 13 is kept  (build/debian-13)
		             JH_DEBIAN_MIRROR  where it comes from                  (http://deb.debian.org/debian)

		exit status  0: nothing failed, and nothing was skipped but what tests/skips lists. Else something did, or
		             could not be built
	END
}

all=false
case ${1-} in
-h | --help)
	usage
	exit 0
	;;
--all)
	if (($# > 1)); then
		echo "tests/run.sh: --all takes no further arguments, not \"$2\"" >&2
		exit 2
	fi
	all=true
	;;
esac

# Only the tests need these: namespaces, their networks, the model checker, other locales, a second computation of histories;
# and a compiler with libFuzzer.
packages=(iproute2 util-linux nftables spin locales python3-xxhash)
! "$all" || packages+=(clang mmdebstrap dpkg-dev)
client/install-packages.sh "${packages[@]}"
! "$all" || client/install-packages.sh "libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev"
mkdir -p build

# As root each test has a network, a /run and an rpcbind of its own. Others share the machine's rpcbind: where none runs
# and sudo is at hand, one is started for the length of the tests.
rpcbind_pid=
clean_up() {
	[[ -z $rpcbind_pid ]] || sudo -n kill "$rpcbind_pid" || true
}
trap clean_up EXIT
if ((EUID != 0)) && ! timeout 5 rpcinfo -p >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	# shellcheck disable=SC2016 # expanded by the inner shell, whose pid is rpcbind's
	sudo -n setsid sh -c 'echo $$ >"$1"; exec rpcbind -f >/dev/null 2>&1' sh build/rpcbind.pid &
	for ((i = 0; i < 100; i++)); do
		timeout 5 rpcinfo -p >/dev/null 2>&1 && break
		sleep 0.1
	done
	rpcbind_pid=$(<build/rpcbind.pid)
fi

# build PRESET [CMAKE-OPTION...]: quiet while it works.
build() {
	local preset=$1 log=build/$1-build.log
	shift
	echo "building: preset $preset, see $log"
	cmake --preset "$preset" "$@" >"$log" 2>&1 && cmake --build --preset "$preset" >>"$log" 2>&1 && return
	tail -n 60 "$log" >&2
	echo "tests/run.sh: the build failed: see $log" >&2
	return 1
}

# Old sanitizers want the addresses of programs where old kernels put them.
steady=()
! setarch -R true 2>/dev/null || steady=(setarch -R)

# Most tests wait more than they compute; what computes takes two places (PROCESSORS). One more is for the chaos beside it.
places=$((2 * $(nproc) + 1))

# run PRESET CTEST-ARGUMENT...: passes when nothing failed and nothing was skipped that tests/skips does not list.
run() {
	local preset=$1 status=0 log=build/$1/Testing/Temporary/LastTest.log
	shift
	rm -f "$log" # of a run before
	local tests=(ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "-j$places" "$@")
	case $preset in
	tsan | fuzz) "${steady[@]}" "${tests[@]}" || status=$? ;;
	*) "${tests[@]}" || status=$? ;;
	esac
	[[ ! -e $log ]] || tests/skipped.sh "build/$preset" || status=1
	return "$status"
}

# Of the labels, whole words: ctest matches expressions.
readonly SLOW='^(model|mutation|build)$'
simulated=()
[[ -z ${JH_SIM_SECONDS-} ]] || simulated=("-DJH_SIM_SECONDS=$JH_SIM_SECONDS")

if ! "$all"; then
	build dev "${simulated[@]}"
	(($#)) || set -- -LE "$SLOW"
	run dev "$@"
	exit
fi

# --- everything -------------------------------------------------------------------------------------------------------

failed=0
summary=()

# stage WHAT COMMAND...: continues after a failure, so that one run reports all of them.
stage() {
	local what=$1 began=$SECONDS verdict=passed status=0
	shift
	printf '\n=== %s\n' "$what"
	"$@" || status=$?
	if ((status != 0)); then
		verdict=FAILED
		failed=1
	fi
	summary+=("$(printf '%-7s %4d s  %s' "$verdict" $((SECONDS - began)) "$what")")
}

checked() { build dev "${simulated[@]}" && run dev -LE "$SLOW"; }

# The release build is the one that simulates fast, and the one whose disks a preload can make fail. Chaos takes five
# minutes of which it mostly waits: all that computes is done meanwhile, builds with what others build it too.
proved() {
	local status=0

	build release "-DJH_SIM_SECONDS=${JH_SIM_SECONDS:-120}" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON || return
	JH_CHAOS_SECONDS=${JH_CHAOS_SECONDS:-300} JH_DEBIAN_13=${JH_DEBIAN_13:-$root/build/debian-13} \
		run release -L '^(build|model|mutation|sim|preload|chaos_minute)$' || status=$?
	awk '/ Testing: / { chaos = $3 == "chaos_minute" } chaos && /^(orders|faults|verdict|seed)/' \
		build/release/Testing/Temporary/LastTest.log
	return "$status"
}

fuzzed() { build fuzz "-DJH_FUZZ_RUNS=${JH_FUZZ_RUNS:-20000}" && run fuzz -L '^fuzz$'; }

# Threads meet in the journal, the snapshots and the queues behind them: the unit tests, and clusters that use them all.
# Left out: what has no thread but takes long, and purity, which would find the sanitizer's own symbols.
raced() {
	local left_out='^(unit_(linear_hash|memory_holder|purity|views_storm)|sim_fixed_seeds)$'

	build tsan -DJH_SIM_SECONDS=10 && run tsan -L '^(unit|sim)$' -E "$left_out" &&
		run tsan -R '^integration_(three_replicas|kill_(primary|all)|wiped_replica|joins_under_load|disk_full)$'
}

stage "ASan and UBSan: all but the model, the mutations, and whole builds" checked
stage "release: the model, mutations, longer simulation and chaos; built by gcc, clang, gcc 14 of Debian 13" proved
stage "fuzzers: the corpus and new inputs" fuzzed
stage "ThreadSanitizer: unit, sim, and clusters" raced

printf '\n'
printf '%s\n' "${summary[@]}"
exit "$failed"

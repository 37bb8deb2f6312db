#!/bin/bash
# Builds everything with ASan and UBSan and runs every test through ctest; arguments go to ctest (tests/run.sh -R
# three). Installs missing Debian packages first. Needs no internet beyond that, leaves nothing running behind.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
exec </dev/null
PATH=$PATH:/usr/sbin:/sbin # rpcbind and rpcinfo

# Only the tests need these: namespaces, their networks, and the model checker.
client/install-packages.sh iproute2 util-linux spin

mkdir -p build
log=build/dev-build.log
if ! { cmake --preset dev && cmake --build --preset dev; } >"$log" 2>&1; then
	tail -n 60 "$log" >&2
	echo "tests/run.sh: the build failed: see $log" >&2
	exit 1
fi

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

# The model is checked apart (tests/run.sh -L model): it takes minutes and does not depend on the build.
(($#)) || set -- -LE model

# The model's searches may take so long each; one that does not end counts as skipped.
export MODEL_SECONDS=${MODEL_SECONDS:-20}

# Not exec: the trap must run. Its status is ours.
ctest --test-dir build/dev --output-on-failure -j2 "$@"

#!/bin/bash
# Installs the Debian packages that building and running Just Hungry needs, and any others named as arguments. Touches
# nothing when all are there. Without root and without sudo it lists exactly what is missing and exits 4.
set -euo pipefail

# Debian's own packages only; tests/run.sh adds what only the tests need.
packages=(
	build-essential cmake ninja-build pkg-config rpcsvc-proto libtirpc-dev libevent-dev libxxhash-dev libssl-dev
	libjansson-dev libcurl4-openssl-dev libedit-dev uthash-dev libcmocka-dev
	rpcbind netbase ca-certificates
	jq procps
	"$@"
)

if ! command -v dpkg-query >/dev/null; then
	echo "install-packages: this is no Debian; install the equivalents of: ${packages[*]}" >&2
	exit 4
fi

missing=()
for package in "${packages[@]}"; do
	state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
	[[ $state == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

# Asks for a password only on a terminal.
may_sudo() {
	command -v sudo >/dev/null || return 1
	sudo -n true 2>/dev/null && return 0
	[[ -t 0 && -t 2 ]] && sudo -v
}

if ((EUID == 0)); then
	as_root=()
elif may_sudo; then
	as_root=(sudo)
else
	{
		echo "install-packages: these packages are missing, and neither root nor sudo is at hand to install them:"
		echo "    apt-get install --no-install-recommends ${missing[*]}"
	} >&2
	exit 4
fi

echo "installing: ${missing[*]}"
quietly() {
	local log status=0
	log=$(mktemp)
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >"$log" 2>&1 || status=$?
	((status == 0)) || cat "$log" >&2
	rm -f "$log"
	return "$status"
}
# A list that cannot be refreshed may still be good enough to install from.
quietly update || echo "install-packages: apt-get update failed, trying with the package lists at hand" >&2
if ! quietly install --no-install-recommends "${missing[@]}"; then
	echo "install-packages: apt-get failed; still missing of: ${missing[*]}" >&2
	exit 4
fi

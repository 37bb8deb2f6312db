#!/bin/bash
# Built by gcc 14 in a tree of Debian 13, with its flags for packages and the strictest _FORTIFY_SOURCE, and quietly; and
# stock stubs from what was installed. The tree has what is needed for this and nothing else, cmocka not; it is kept in
# $JH_DEBIAN_13, half a gigabyte.
source "$(dirname "$0")/lib.sh"

tree=${JH_DEBIAN_13:-$JH_BUILD/debian-13}
mirror=${JH_DEBIAN_MIRROR:-http://deb.debian.org/debian}
packages=gcc,libc6-dev,libtirpc-dev,libevent-dev,libxxhash-dev,libssl-dev,libjansson-dev,libcurl4-openssl-dev,libedit-dev,uthash-dev
packages+=,cmake,ninja-build,pkgconf,rpcsvc-proto,dpkg-dev,base-files,bash,dash,coreutils,findutils

((EUID == 0)) || skip "needs root (to make a tree of Debian 13 and enter it)"
if [[ $(cat "$tree/packages" 2>/dev/null) != "$packages" ]]; then
	command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
	proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	timeout 60 /usr/lib/apt/apt-helper download-file "$mirror/dists/trixie/InRelease" "$SCRATCH/InRelease" \
		>/dev/null 2>&1 || skip "no network: $mirror does not answer"
	rm -rf "$tree"
	# Unpacked and not configured: compilers need no more, and it takes half the time.
	mmdebstrap --variant=extract --include="$packages" --aptopt='Acquire::Languages "none"' \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		trixie "$tree" "$mirror" >"$SCRATCH/log" 2>&1 || fail "$(tail -n 30 "$SCRATCH/log")"
	echo "$packages" >"$tree/packages"
fi

work=$(mktemp -d "$tree/tmp/build.XXXXXX")
trap 'rm -rf "$SCRATCH" "$work"' EXIT
archive "$work/just hungry"
touch "$SCRATCH/began"
cp "$ROOT/tests/integration/stock_stubs_client.c" "$work"
cat >"$work/script" <<-'END'
	set -euo pipefail
	cd "$(dirname "$0")"
	export CC=gcc PATH=/usr/sbin:/usr/bin:/sbin:/bin
	eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)"
	flags="$CFLAGS $CPPFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
	unset CFLAGS CPPFLAGS
	gcc --version
	cmake -G Ninja -S "just hungry" -B built -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=$flags"
	cmake --build built -j2
	cmake --install built --prefix "$PWD/a prefix"
	for program in justhungry justhungry-server justhungry-frontend; do
		"a prefix/bin/$program" --version
	done
	cd "a prefix/share/justhungry"
	for file in shop frontend replica; do
		rpcgen "$file.x"
	done
	for standard in gnu11 gnu17 gnu2x; do
		gcc -std=$standard -o client ../../../stock_stubs_client.c -I. frontend_clnt.c frontend_xdr.c shop_xdr.c \
			$(pkg-config --cflags --libs libtirpc)
		gcc -std=$standard -c frontend_svc.c replica_*.c $(pkg-config --cflags libtirpc)
	done
	cpp --version >/dev/null
END
chroot "$tree" /bin/bash "/tmp/${work##*/}/script" >"$SCRATCH/log" 2>&1 || fail "$(tail -n 60 "$SCRATCH/log")"
quiet "$SCRATCH/log"
unchanged "$work/just hungry"
grep -m 1 '^gcc ' "$SCRATCH/log"

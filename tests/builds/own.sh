#!/bin/bash
# own.sh gcc|clang: built by this machine's compiler as a stranger would, and quietly. gcc: Debian's flags for packages
# (hardening, _FORTIFY_SOURCE, LTO), no build type, make. clang: a release, Ninja.
source "$(dirname "$0")/lib.sh"

source="$SCRATCH/just hungry 0.1" built="$SCRATCH/a build"
command -v "$1" >/dev/null || skip "$1 is not installed"
archive "$source"
touch "$SCRATCH/began"
without_cmocka "$SCRATCH/modules"
export PKG_CONFIG_LIBDIR=$SCRATCH/modules CC=$1
case $1 in
gcc)
	command -v dpkg-buildflags >/dev/null || skip "dpkg-buildflags is not installed"
	eval "$(DEB_BUILD_MAINT_OPTIONS='hardening=+all optimize=+lto' dpkg-buildflags --export=sh)"
	options=(-G "Unix Makefiles" -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=$CFLAGS $CPPFLAGS")
	;;
clang) options=(-G Ninja -DCMAKE_BUILD_TYPE=Release) ;;
esac
{
	cmake -S "$source" -B "$built" -DBUILD_TESTING=OFF "${options[@]}" &&
		cmake --build "$built" -j2 && cmake --install "$built" --prefix "$SCRATCH/a prefix"
} >"$SCRATCH/log" 2>&1 || fail "$(tail -n 60 "$SCRATCH/log")"
quiet "$SCRATCH/log"
unchanged "$source"
whole "$SCRATCH/a prefix"

#!/bin/bash
# Missing dependencies are reported at once and by the names of Debian's packages; cmocka only where tests are to be built.
source "$(dirname "$0")/lib.sh"

# configure WHAT OPTION...: what cmake says, in one line; its status in STATUS.
configure() {
	STATUS=0
	SAID=$(cmake -S "$ROOT" -B "$SCRATCH/$1" -DCMAKE_C_COMPILER_WORKS=1 "${@:2}" 2>&1 | tr '\n' ' ' | tr -s ' ') || STATUS=$?
}
says() { [[ $SAID == *"$1"* ]] || fail "cmake does not say '$1': $SAID"; }

# Nothing is there: neither a module of pkg-config, nor the header, nor the program.
mkdir "$SCRATCH/empty"
export PKG_CONFIG_LIBDIR=$SCRATCH/empty
configure nothing -DUTHASH_INCLUDE_DIR=UTHASH_INCLUDE_DIR-NOTFOUND -DCMAKE_FIND_ROOT_PATH="$SCRATCH/empty" \
	-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DRPCGEN=RPCGEN-NOTFOUND -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER
((STATUS != 0)) || fail "configured without libraries"
for package in libtirpc-dev libevent-dev libxxhash-dev libssl-dev libjansson-dev libcurl4-openssl-dev libedit-dev uthash-dev \
	libcmocka-dev; do
	says "$package"
done
says 'uthash.h (Debian: uthash-dev)'

# Only cmocka is missing.
without_cmocka "$SCRATCH/modules"
export PKG_CONFIG_LIBDIR=$SCRATCH/modules
configure tests
((STATUS != 0)) || fail "configured tests without cmocka"
says 'cmocka (Debian: libcmocka-dev)'
says 'BUILD_TESTING=OFF'
[[ $SAID != *libtirpc* ]] || fail "cmake asks for what is there: $SAID"
configure programs -DBUILD_TESTING=OFF
((STATUS == 0)) || fail "without tests cmocka is needed: $SAID"

# Other compilers find other things to warn of: only developers are stopped by that.
! grep -rq --include='*.make' --include='*.ninja' -e -Werror "$SCRATCH/programs" || fail "-Werror without a preset"

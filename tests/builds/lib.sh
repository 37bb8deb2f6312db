# shellcheck shell=bash
# Builds as others make them: from an archive, in a path with a blank, with their compiler and their flags, without tests.
# Sourced by scripts that then call `builds NAME COMMAND...`.
set -euo pipefail

: "${JH_BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/dev}"
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/justhungry-build.XXXXXX")
trap 'rm -rf "$SCRATCH"' EXIT
exec </dev/null
# Independent of locale and flags of the user.
export LC_ALL=C
unset CFLAGS CPPFLAGS LDFLAGS CC CMAKE_GENERATOR CMAKE_BUILD_TYPE

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# archive DIR: what `git archive` would hold, as it is now.
archive() {
	mkdir -p "$1"
	tar -C "$ROOT" --exclude=./build --exclude=./.git -c . | tar -C "$1" -x
	chmod -R a-w "$1"
}

# unchanged DIR: root may write where no build should.
unchanged() {
	[[ -z $(find "$1" -newer "$SCRATCH/began" -print -quit) ]] || fail "the build wrote into the source tree: $(
		find "$1" -newer "$SCRATCH/began"
	)"
}

# quiet LOG: no compiler, linker or rpcgen warned.
quiet() {
	! grep -E -A 5 'warning:' "$1" >&2 || fail "the build has warnings"
}

# whole PREFIX: what was installed there runs.
whole() {
	local program
	for program in justhungry justhungry-server justhungry-frontend; do
		"$1/bin/$program" --version >/dev/null || fail "$program does not run"
	done
	[[ -s $1/share/justhungry/frontend.x ]] || fail "no frontend.x is installed"
}

# without_cmocka DIR: every module that pkg-config knows but cmocka; for PKG_CONFIG_LIBDIR.
without_cmocka() {
	local directory
	mkdir -p "$1"
	for directory in $(pkg-config --variable pc_path pkg-config | tr : ' '); do
		[[ ! -d $directory ]] || find "$directory" -name '*.pc' ! -name cmocka.pc -exec ln -sf -t "$1" {} +
	done
}

#!/bin/bash
# Builds the daemons of a later program, and counter_client, from a copy of the sources in which what CHANGED holds is new.
#
#   build.sh CHANGED BUILD CMAKE-OPTION...     the programs are BUILD/justhungry/*/justhungry-* and BUILD/counter_client
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
changed=$1 build=$2
shift 2
copy=$build/copy

# Times are kept, so that the second build compiles only what has changed since the first.
mkdir -p "$build"
rm -rf "$copy.new"
mkdir "$copy.new"
(cd "$here/../.." && cp -a CMakeLists.txt rpc server frontend client "$copy.new")
cp -a "$changed/." "$here/server" "$copy.new"
rm -rf "$copy"
mv "$copy.new" "$copy"

# The promise of docs/architecture.md: a kind of operation is its two files, its row, and its lines in shop.x.
cd "$here/../.."
differing=$(for part in CMakeLists.txt rpc server frontend client; do
	diff -rq "$part" "$copy/$part" || true
done | sed -E "s|^Only in $copy/||; s|^Files ([^ ]*) and .* differ|\1|; s|: |/|" | sort | tr '\n' ' ')
expected='rpc/shop.x server/shop/counter.c server/shop/counter.h server/shop/operations.c '
[[ $differing == "$expected" ]] || { echo "newer: the copy differs in $differing" >&2; exit 1; }

cmake -S "$here/project" -B "$build" "-DCOPY=$copy" "-DCLIENT=$here/counter_client.c" -DBUILD_TESTING=OFF "$@" >"$build/log"
cmake --build "$build" -j2 --target justhungry-server justhungry-frontend counter_client >>"$build/log" 2>&1 ||
	{ tail -n 60 "$build/log" >&2; exit 1; }

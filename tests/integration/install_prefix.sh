#!/bin/bash
# cmake --install makes a usable tree: the three programs run from there without the source or the build tree, also when
# it was moved; it contains the files that clients are made from, the licence and the documents, and nothing that only
# tests need.
source "$(dirname "$0")/lib.sh"

cmake --install "$JH_BUILD" --prefix "$SCRATCH/prefix" >"$LOGS/install.log"
mv "$SCRATCH/prefix" "$SCRATCH/moved away"
prefix="$SCRATCH/moved away"
for program in justhungry justhungry-server justhungry-frontend; do
	path=$prefix/bin/$program
	[[ -x $path ]] || fail "$program is not installed: $(find "$prefix")"
	"$path" --help >"$LOGS/$program.help" || fail "$program --help ends with $?"
	grep -q -i 'usage' "$LOGS/$program.help" || fail "$program --help prints no usage"
done
for file in share/justhungry/{shop,frontend,replica}.x share/doc/justhungry/{README.md,LICENSE,docs/operations.md}; do
	[[ -s $prefix/$file ]] || fail "$file is not installed: $(find "$prefix")"
done
# The links of an installed README lead somewhere.
while read -r target; do
	[[ -e $prefix/share/doc/justhungry/$target ]] || fail "README.md links $target, which is not installed"
done < <(grep -o '](\(docs/[^)#]*\)' "$prefix/share/doc/justhungry/README.md" | cut -c 3-)

launch replica-1 "$prefix/bin/justhungry-server" --id 1 --data-dir "$(replica_dir 1)" --program-base "$BASE" \
	"${SERVER_OPTIONS[@]}"
launch frontend "$prefix/bin/justhungry-frontend" --data-dir "$SCRATCH/frontend" --program-base "$BASE" \
	--new-cluster
jh() { "$prefix/bin/justhungry" --program-base "$BASE" "$@"; }
wait_for 20 "a primary" serving
expect 0 'placed' order "DH1 3LE" "from a moved tree"

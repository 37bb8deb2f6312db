#!/bin/bash
# cmake --install works into a prefix: the three programs run from there, without the source or build tree.
source "$(dirname "$0")/lib.sh"

cmake --install "$JH_BUILD" --prefix "$SCRATCH/prefix" >"$LOGS/install.log"
for program in justhungry justhungry-server justhungry-frontend; do
	path=$(find "$SCRATCH/prefix" -type f -name "$program")
	[[ -x $path ]] || fail "$program is not installed: $(find "$SCRATCH/prefix")"
	"$path" --help >"$LOGS/$program.help" || fail "$program --help ends with $?"
	grep -q -i 'usage' "$LOGS/$program.help" || fail "$program --help prints no usage"
done

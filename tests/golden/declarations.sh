#!/bin/bash
# Purpose: nothing that is declared in rpc/*.x changes unnoticed. A field more in a struct, another bound, another value of
# an enum differs from what is kept in tests/golden/declarations; comments and blanks do not count. Golden bytes show what
# a change does to what is stored and said; this names it even where no sample has it.
#
#   declarations.sh           compares
#   declarations.sh --write   writes them anew, after the number has been raised (or when no byte changes)
set -euo pipefail
cd "$(dirname "$0")/../.."
kept=tests/golden/declarations

# One line a declaration: "FILE: struct NAME { ... }".
declarations() {
	local file
	for file in rpc/*.x; do
		sed -e '/^%/d' "$file" | tr '\n\t' '  ' | sed -e 's,/\*\([^*]\|\*[^/]\)*\*/, ,g' -e 's/  */ /g' |
			awk -v file="${file#rpc/}" '{
				depth = 0; text = ""
				for (i = 1; i <= length($0); i++) {
					c = substr($0, i, 1)
					depth += (c == "{") - (c == "}")
					if (c != ";" || depth > 0) { text = text c; continue }
					gsub(/^ +| +$/, "", text)
					print file ": " text
					text = ""
				}
			}'
	done
}

name_of() { # the first words of a line, up to its value or body: "disk.x: union jh_disk_record"
	sed -E -e 's/ ?(=|\{|switch).*//' -e 's/typedef (opaque|string) ([a-z_]+).*/typedef \2/' <<<"$1"
}

if [[ ${1:-} == --write ]]; then
	declarations >"$kept"
	exit
fi
status=0
while read -r side line; do
	status=1
	name=$(name_of "$line")
	if [[ $side == '<' ]]; then
		echo "$name is not declared any more as in $kept: $line" >&2
	else
		echo "$name is declared otherwise than in $kept: $line" >&2
	fi
done < <(diff <(sort "$kept") <(declarations | sort) | grep '^[<>]')
if ((status)); then
	cat >&2 <<'END'
If what is stored or said changes by it, raise the number concerned (docs/formats.md says which), add golden files and a
line there. Then, or if no byte changes by it: tests/golden/declarations.sh --write
END
fi
exit "$status"

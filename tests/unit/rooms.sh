#!/bin/bash
# Each room includes what docs/architecture.md allows it and nothing else, the files of replica and view manager stand in layers,
# no file has grown two nouns, and the pure cores say what they rely on: at least 30 asserts in 1,000 lines. Threads and clocks
# are made in one place, and no function of one daemon has the name of another function of the other one.
#
#   rooms.sh SERVER-LIBRARY SERVER-LIBRARY FRONTEND-LIBRARY FRONTEND-LIBRARY
set -euo pipefail

(($# == 4)) || { echo "usage: rooms.sh and four libraries" >&2; exit 2; }
libraries=("$@")
for library in "${libraries[@]}"; do
	[[ -f $library ]] || { echo "rooms: no such library: $library" >&2; exit 2; }
done

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
complain() {
	echo "rooms: $1" >&2
	status=1
}

# room FOLDER ALLOWED...: each a folder, or one header of it. A folder may always include itself.
room() {
	local folder=$1 file name allowed good
	shift
	while IFS=: read -r file name; do
		good=no
		for allowed in "$folder" "$@"; do
			[[ ${name%/*} == "$allowed" || $name == "$allowed" ]] && good=yes
		done
		[[ $good == yes ]] || complain "$file includes $name: $folder may include $folder $*"
	done < <(grep -HoE '^#include "[^"]+"' "$folder"/*.[ch] | sed -E 's/#include "([^"]+)"/\1/')
}

readonly WORDS=rpc/cluster/protocol.h X='rpc/shop.h rpc/frontend.h rpc/replica.h'
room rpc/base
room rpc/net rpc/base
room rpc/program rpc/base rpc/net
room rpc/cluster rpc/base rpc/net $X
room server/replica rpc/base $WORDS
room server/machine rpc/base
room server/shop rpc/base rpc/shop.h server/machine server/replica/replica.h
room server/disk rpc/base rpc/net rpc/program rpc/cluster rpc/disk.h server/machine server/shop server/replica/replica.h
room server/peers rpc/base rpc/net rpc/cluster $X server/machine server/replica/replica.h
room server rpc/base rpc/net rpc/program rpc/cluster $X server/disk server/machine server/peers server/shop server/replica/replica.h
room frontend/views rpc/base $WORDS
room frontend/router rpc/base
room frontend/driver rpc/base frontend/views/views.h frontend/router/router.h
room frontend/keeper rpc/base rpc/program frontend/views
room frontend rpc/base rpc/net rpc/program rpc/cluster $X frontend/driver frontend/keeper frontend/router frontend/views/views.h
room client rpc/base rpc/net rpc/program rpc/cluster $X

# layered FOLDER FACE: each file of it calls only those that stand below it, so what includes whom has no circle. FACE is the
# header for others, which everybody may include for its types.
layered() {
	local folder=$1 face=$2 circles
	circles=$(grep -HoE "^#include \"$folder/[^\"]+\"" "$folder"/*.[ch] | grep -v "\"$folder/$face\"" |
		sed -E "s|^$folder/([^.]+)\.[ch]:#include \"$folder/([^.]+)\.h\"|\1 \2|" | awk '$1 != $2' |
		tsort 2>&1 >/dev/null) || complain "$folder: files include each other in a circle:"$'\n'"$circles"
}
layered server/replica replica.h
layered frontend/views views.h

# Ours: not rpcgen's output, in case of a build inside the source tree.
sources() {
	[[ -e .git ]] && git ls-files -- '*.c' '*.h' 2>/dev/null && return
	find rpc server frontend client tests -name '*.[ch]' -not -path '*/generated/*' -not -path '*/CMakeFiles/*'
}
counted=0
while read -r lines file; do
	counted=$((counted + 1))
	((lines <= 500)) || complain "$file has $lines lines: split it by what it is about, 500 are enough"
done < <(sources | xargs -r wc -l | grep -v ' total$')
((counted > 0)) || complain "no sources found in $PWD"

for core in server/replica frontend/views frontend/router; do
	lines=$(cat "$core"/*.c | wc -l)
	asserts=$(grep -hoE '\bmust\(' "$core"/*.c | wc -l)
	((asserts * 1000 >= lines * 30)) || complain "$core has $asserts asserts in $lines lines: 30 in 1,000 are asked for"
done

# only PLACE FUNCTION...: nobody else in the programs calls it.
only() {
	local place=$1 function file
	shift
	for function in "$@"; do
		grep -qE "\\b$function\\(" "$place" || complain "$place does not call $function: the rule says nothing any more"
		while read -r file; do
			[[ $file == "$place" ]] || complain "$file calls $function: that is for $place alone"
		done < <(grep -rlE --include='*.[ch]' "\\b$function\\(" rpc server frontend client)
	done
}
only rpc/base/thread.c pthread_create pthread_cond_clockwait
only rpc/base/clock.h clock_gettime
! grep -rnE --include='*.[ch]' '\b(pthread_cond_timedwait|gettimeofday)\(' rpc server frontend client >&2 ||
	complain "these wait or look by another clock: rpc/base/thread.h and clock.h are for that"

functions() { nm --defined-only "$@" | awk '$2 == "T" && $3 !~ /^_/ { print $3 }' | sort -u; }
server=$(functions "${libraries[@]:0:2}") frontend=$(functions "${libraries[@]:2:2}")
[[ -n $server && -n $frontend ]] || complain "the libraries define no function"
while read -r name; do
	[[ -z $name ]] || complain "$name is a function of server/ and another one of frontend/: rename one"
done < <(comm -12 <(echo "$server") <(echo "$frontend"))
exit "$status"

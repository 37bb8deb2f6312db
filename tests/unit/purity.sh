#!/bin/sh
# The pure cores open no socket, read no clock, start no thread, draw no random number and log nothing themselves: a whole
# cluster of them runs in one test process from one seed. Lists what their libraries do not define themselves and fails on
# anything that is not known to be harmless.
#
#   purity.sh LIBRARY...
set -eu

allowed='
calloc malloc realloc reallocarray free
memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strstr strcpy strncpy
__memcpy_chk __memmove_chk __memset_chk __strcpy_chk __strncpy_chk
snprintf vsnprintf __snprintf_chk __vsnprintf_chk qsort bsearch __stack_chk_fail
must_failed shortage_of_memory
uuid_format uuid_parse digest_of digest_chain digest_format
view_member_by_id view_member_exact view_equal view_expects
format_range_valid format_range_overlaps format_range_includes format_range_agrees format_range_explain wall_text replica_role_name replica_state_name
_GLOBAL_OFFSET_TABLE_ __tls_get_addr
'
status=0
for library in "$@"; do
	[ -f "$library" ] || { echo "purity: no such library: $library" >&2; exit 2; }
	symbols=$(nm -A "$library") || { echo "purity: cannot read $library" >&2; exit 2; }
	own=$(echo "$symbols" | awk '$(NF-1) ~ /^[A-TV-Zdbrt]$/ { print $NF }' | sort -u)
	foreign=$(echo "$symbols" | awk '$(NF-1) == "U" { print $NF }' | sort -u |
		grep -Ev '^__(asan|ubsan|tsan|sanitizer|lsan|gcov|llvm)_' || true)
	[ -n "$own" ] || { echo "purity: $library defines nothing" >&2; exit 2; }
	for symbol in $foreign; do
		if echo "$own" | grep -qxF "$symbol" || echo "$allowed" | tr ' ' '\n' | grep -qxF "$symbol"; then
			continue
		fi
		echo "purity: $(basename "$library") uses $symbol:" >&2
		echo "$symbols" | awk -v s="$symbol" '$(NF-1) == "U" && $NF == s { print "  " $1 }' >&2
		status=1
	done
done
exit $status

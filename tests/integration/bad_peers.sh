#!/bin/bash
# Peers that send 2 bytes and stall, a partial record, a record over the limit or garbage, and a thousand idle
# connections, delay no other peer, at the front-end and at every replica.
source "$(dirname "$0")/lib.sh"

form 3
port_of() { rpcinfo -p | awk -v program="$1" '$1 == program && $3 == "tcp" { print $4; exit }'; }
open_to() { # PORT BYTES: a connection that sends BYTES (as printf has them) and stays open
	local fd
	exec {fd}<>"/dev/tcp/127.0.0.1/$1"
	# The other end may close it while we write.
	{ printf '%b' "$2" >&"$fd"; } 2>/dev/null || true
}
trap '' PIPE
for offset in 0 1 2 3; do
	port=$(port_of $((BASE + offset)))
	open_to "$port" '\x80\x00'
	open_to "$port" '\x80\x00\x00\x80\x00\x00\x00\x01\x00\x00'
	open_to "$port" '\xff\xff\xff\xff\x00\x00\x00\x01'
	open_to "$port" '\x80\x00\x00\x18garbage garbage garbage.'
	open_to "$port" 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
	open_to "$port" '\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
done
ulimit -n 4096 2>/dev/null || true
port=$(port_of "$BASE")
for ((i = 0; i < 1000; i++)); do
	open_to "$port" ''
done
start_load load 4 16
end_load load
audit load
wait_for 10 "equal digests on all three" members_level 3
expect 0 'Order [0-9]+ \(#1 for DH1 1AA\)' order "DH1 1AA" "after all that"

/* The messages of an input of replica_calls_fuzz.c, by their number in it: what seeds_calls.c writes. New ones go to
 * the end, or the corpus changes its meaning. */
#pragma once

enum message {
	HEAR_PUSH, HEAR_INSTALL, HEAR_HEARTBEAT, HEAR_BIND, HEAR_SUBMIT, HEAR_QUERY, HEAR_DURABLE, HEAR_FLUSH,
	HEAR_TICK, HEAR_PEER_UP, HEAR_PEER_DOWN, HEAR_ACK, HEAR_PONG, HEAR_DISK, HEAR_HELLO, HEAR_STOP,
	MESSAGES
};

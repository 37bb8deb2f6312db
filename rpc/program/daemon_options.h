/* The options that both daemons have: names, parsing, error messages. What an option means to a daemon, and which
 * combinations it refuses, is in the daemon's own options.c. */
#pragma once

#include <argp.h>
#include <stdint.h>

#define DAEMON_LISTEN_MAX 8

struct daemon_options {
	const char *data_dir;    /* NULL: not given */
	const char *listen[DAEMON_LISTEN_MAX];
	uint32_t listen_count;   /* 0: 127.0.0.1 and ::1 */
	const char *advertise;   /* NULL: what it listens on */
	uint32_t program_base;
	uint32_t heartbeat_ms, suspect_ms, stall_ms;
};

struct daemon_options daemon_options_default(void);

/* Above the keys that a daemon has for itself. */
enum daemon_key {
	DAEMON_DATA_DIR = 0x1000,
	DAEMON_LISTEN,
	DAEMON_ADVERTISE,
	DAEMON_PROGRAM_BASE,
	DAEMON_HEARTBEAT,
	DAEMON_SUSPECT,
	DAEMON_STALL,
	DAEMON_LOG_LEVEL
};

/* Entries of a daemon's list of struct argp_option; the arguments say what some of them mean to it. */
#define DAEMON_OPTIONS(data_dir, program_base, heartbeat, suspect, stall)                                        \
	{"data-dir", DAEMON_DATA_DIR, "DIR", 0, data_dir, 0},                                                    \
	{"listen", DAEMON_LISTEN, "ADDRESS[:PORT]", 0, "may be given again (127.0.0.1 and ::1, any port)", 0},   \
	{"advertise", DAEMON_ADVERTISE, "ADDRESS[:PORT]", 0, "register this address instead of the one listened on", 0}, \
	{"program-base", DAEMON_PROGRAM_BASE, "N", 0, program_base " (540000000)", 0},                           \
	{"heartbeat-ms", DAEMON_HEARTBEAT, "N", 0, heartbeat " (50)", 0},                                        \
	{"suspect-ms", DAEMON_SUSPECT, "N", 0, suspect " (250)", 0},                                             \
	{"stall-ms", DAEMON_STALL, "N", 0, stall " (2000)", 0},                                                  \
	{"log-level", DAEMON_LOG_LEVEL, "LEVEL", 0, "debug, info, warn or error (info)", 0}

/* For the keys that a daemon's own parser does not know; ARGP_ERR_UNKNOWN if this one does not either. Texts point into
 * argv. */
error_t daemon_options_parse(int key, const char *text, const struct argp_state *state, struct daemon_options *options);

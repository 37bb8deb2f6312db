/* Parsing common to the options of all programs: numbers, addresses and levels, validated once, with one clear error
 * message. An invalid value ends the program through argp_error (exit status argp_err_exit_status). */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/base/limits.h"

#define PROGRAM_BASE_DEFAULT 540000000u         /* JH_FRONTEND of rpc/frontend.x */
#define PROGRAM_BASE_MAX (UINT32_MAX - LIMIT_REPLICA_ID) /* a replica's number is this and its id */

/* argp_parse. In every message about an argument, invisible characters are written out (rpc/base/escape.h): an option
 * that was copied with a zero-width character would look right. Help texts fit the terminal. */
error_t arguments_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, void *input);

/* Is text a whole number low..high, written in digits alone? */
bool arguments_is_number(const char *text, uint64_t low, uint64_t high, uint64_t *number);

/* Such a number. */
uint64_t arguments_number(const struct argp_state *state, const char *option, const char *text, uint64_t low,
			  uint64_t high);

/* A numeric address with or without a port; returns text. */
const char *arguments_address(const struct argp_state *state, const char *option, const char *text);

/* One host, or several separated by commas, whose rpcbinds are asked; a port is refused. Returns text. */
const char *arguments_hosts(const struct argp_state *state, const char *option, const char *text);

/* "debug", "info", "warn" or "error": sets the level of log_line. */
void arguments_log_level(const struct argp_state *state, const char *text);

/* Output of commands: JSON through jansson, and text that is safe on a terminal. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/answer.h"
#include "client/command.h"
#include "client/outcome.h"
#include "client/text.h"
#include "rpc/shop.h"

/* JSON values of wire types. Text that is not UTF-8 is escaped first, so that the output is always JSON. */
json_t *output_text(const char *bytes, size_t size);
json_t *output_uuid(jh_uuid uuid); /* null for the nil uuid */
json_t *output_digest(jh_digest digest);
json_t *output_time(int64_t time_us); /* null for 0: loaded at the start */
json_t *output_check(jh_check check); /* "exists", "format-only", null */
json_t *output_number(uint64_t number); /* exact up to 2^64 - 1 once printed by output_json_take */

/* Adds {reason, final, became}: a name or null, whether the log decided it, and {kind, op, result} or null. */
void output_why(json_t *object, bool final, const struct answer_why *why);

/* The object as JSON text, to be freed; frees the object. Indented, or on one line. Invisible characters are \\uNNNN
 * in it, so that JSON is safe on a terminal, too. */
char *output_json_text_take(json_t *object, bool indented);

/* A copy, to be freed, of text from another process, ready to print: escaped, times local, commands completed
 * (advice.h). */
char *output_said(const struct client_options *options, const char *bytes, size_t size);

/* Prints one object and frees it: indented on a terminal, else on one line. */
void output_json_take(json_t *object);

/* Prints a line on standard error, made safe whatever it quotes: a file name, an argument, a server's text. */
__attribute__((format(printf, 1, 2))) void output_complain(const char *format, ...);

/* Prints why a request failed, whether this process or another says so: output_complain with local times. */
void output_error(const char *error);

/* The same, and with --json {outcome, error} on standard output. Returns the exit status of the outcome. */
int output_problem(const struct client_options *options, enum outcome outcome, const char *error);

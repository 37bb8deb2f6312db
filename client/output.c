#include "client/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/advice.h"
#include "client/layout.h"
#include "client/local_time.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/terminal.h"
#include "rpc/base/utf8.h"
#include "rpc/cluster/convert.h"
#include "rpc/program/standard_output.h"

/* jansson's integers are signed. A larger value is a string with this prefix, which no other string has, until the
 * text is generated (output_text). */
#define LARGE_MARK "\x01u64:"
#define LARGE_MARK_JSON "\"\\u0001u64:"

json_t *output_text(const char *bytes, size_t size)
{
	json_t *value = size && bytes[0] == LARGE_MARK[0] ? NULL : json_stringn(size ? bytes : "", size);
	char *escaped;

	if (value)
		return value;
	escaped = text_escape(bytes, size);
	value = json_string(escaped);
	free(escaped);
	must(value);
	return value;
}

json_t *output_uuid(jh_uuid wire)
{
	struct uuid uuid = convert_uuid_from_wire(wire);
	char text[UUID_TEXT_SIZE];

	return uuid_is_nil(uuid) ? json_null() : json_string(uuid_format(uuid, text));
}

json_t *output_digest(jh_digest wire)
{
	char text[DIGEST_TEXT_SIZE];

	return json_string(digest_format(convert_digest_from_wire(wire), text));
}

json_t *output_time(int64_t time_us)
{
	char text[TEXT_TIME_SIZE];

	return time_us ? json_string(text_time(time_us, text)) : json_null();
}

json_t *output_check(jh_check check)
{
	switch (check) {
	case JH_CHECK_EXISTS:
		return json_string("exists");
	case JH_CHECK_FORMAT_ONLY:
		return json_string("format-only");
	case JH_CHECK_NONE:
		break;
	}
	return json_null();
}

json_t *output_number(uint64_t number)
{
	char text[32];

	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	snprintf(text, sizeof text, LARGE_MARK "%" PRIu64, number);
	return json_string(text);
}

/* A name that this program does not know is none. */
static json_t *name_or_null(const char *name)
{
	return name ? json_string(name) : json_null();
}

void output_why(json_t *object, bool final, const struct answer_why *why)
{
	json_t *became = json_null();

	json_object_set_new(object, "reason", name_or_null(answer_reason_name(why->reason)));
	json_object_set_new(object, "final", json_boolean(final));
	if (why->tells_became) {
		became = json_object();
		json_object_set_new(became, "kind", name_or_null(answer_kind_name(why->became.kind)));
		json_object_set_new(became, "op", output_number(why->became.op));
		json_object_set_new(became, "result", name_or_null(answer_entry_result_name(why->became.result)));
	}
	json_object_set_new(object, "became", became);
}

/* Invisible characters are written as \\uNNNN: the value is the same, and none acts on a terminal. To be freed. */
static char *show_unseen(const char *text)
{
	size_t left = strlen(text);
	char *out = malloc(6 * left + 1), *to = out;

	must_allocate(out);
	for (size_t taken; left > 0; text += taken, left -= taken) {
		uint32_t code;

		taken = utf8_take((const uint8_t *)text, left, &code);
		must(taken > 0); /* jansson wrote it */
		if (code < 0x7f || !utf8_unseen(code)) { /* line ends are part of JSON's layout */
			memcpy(to, text, taken);
			to += taken;
		} else if (code < 0x10000) {
			to += sprintf(to, "\\u%04x", code);
		} else {
			to += sprintf(to, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
		}
	}
	*to = '\0';
	return out;
}

char *output_json_text_take(json_t *object, bool indented)
{
	char *text, *from, *to, before = 0;

	must_allocate(object);
	text = json_dumps(object, JSON_REAL_PRECISION(12) | (indented ? JSON_INDENT(2) : 0));
	must_allocate(text);
	json_decref(object);
	for (from = to = text; *from;) {
		/* A quote after a backslash begins no string. */
		if (before == '\\' || strncmp(from, LARGE_MARK_JSON, strlen(LARGE_MARK_JSON)) != 0) {
			before = *from;
			*to++ = *from++;
			continue;
		}
		from += strlen(LARGE_MARK_JSON);
		while (*from != '"')
			*to++ = *from++;
		from++;
	}
	*to = 0;
	to = show_unseen(text);
	free(text);
	return to;
}

void output_json_take(json_t *object)
{
	char *text = output_json_text_take(object, isatty(STDOUT_FILENO));

	puts(text);
	free(text);
	standard_output_flush();
}

char *output_said(const struct client_options *options, const char *bytes, size_t size)
{
	char *escaped = text_line(bytes, size), *local = local_time_rewrite(escaped);
	char *said = advice_complete(options, local);

	free(escaped);
	free(local);
	return said;
}

void output_complain(const char *format, ...)
{
	va_list arguments;
	char *line = NULL, *escaped;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		shortage_of_memory(__func__);
	va_end(arguments);
	escaped = text_line(line, strlen(line));
	layout_text(stderr, escaped, isatty(STDERR_FILENO) ? terminal_columns(STDERR_FILENO) : 0, 2);
	free(escaped);
	free(line);
}

void output_error(const char *error)
{
	char *line = local_time_rewrite(error);

	output_complain("justhungry: %s", line);
	free(line);
}

int output_problem(const struct client_options *options, enum outcome outcome, const char *error)
{
	output_error(error);
	if (options->json)
		output_json_take(json_pack("{s:s, s:o}", "outcome", outcome_name(outcome), "error",
					   output_text(error, strlen(error))));
	return outcome_exit_status(outcome);
}

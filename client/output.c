#include "client/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "rpc/convert.h"
#include "rpc/standard_output.h"

json_t *output_text(const char *bytes, size_t size)
{
	json_t *value = json_stringn(size ? bytes : "", size);
	char *escaped;

	if (value)
		return value;
	escaped = text_escape(bytes, size);
	value = json_string(escaped);
	free(escaped);
	must(value);
	return value;
}

json_t *output_uuid(const jh_uuid wire)
{
	struct uuid uuid = convert_uuid_from_wire(wire);
	char text[UUID_TEXT_SIZE];

	return uuid_is_nil(uuid) ? json_null() : json_string(uuid_format(uuid, text));
}

json_t *output_digest(const jh_digest wire)
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
	return json_integer((json_int_t)number);
}

void output_json_take(json_t *object)
{
	must(object);
	json_dumpf(object, stdout,
		   isatty(STDOUT_FILENO) ? JSON_INDENT(2) | JSON_REAL_PRECISION(12) : JSON_REAL_PRECISION(12));
	fputc('\n', stdout);
	standard_output_flush();
	json_decref(object);
}

int output_problem(const struct client_options *options, enum outcome outcome, const char *error)
{
	fprintf(stderr, "justhungry: %s\n", error);
	if (options->json)
		output_json_take(json_pack("{s:s, s:o}", "outcome", outcome_name(outcome), "error",
					   output_text(error, strlen(error))));
	return outcome_exit_status(outcome);
}

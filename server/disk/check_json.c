#include "server/disk/check_json.h"

#include <inttypes.h>
#include <jansson.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/wall.h"
#include "server/machine/machine.h"
#include "server/machine/operation.h"
#include "server/shop/text_json.h"

/* jansson's integers are signed and would not hold each request number: what needs no escape is printed without it. */

static void print_hex(const uint8_t *bytes, size_t size, FILE *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		putc(digits[bytes[i] >> 4], out);
		putc(digits[bytes[i] & 15], out);
	}
}

static const char *check_text(uint32_t check)
{
	static const char *const texts[] = {"null", "\"exists\"", "\"format-only\""}; /* enum jh_check, as the client shows it */

	must(check < sizeof texts / sizeof texts[0]);
	return texts[check];
}

static const char *result_text(enum outcome_result result)
{
	switch (result) {
	case OUTCOME_APPLIED:
		return "done";
	case OUTCOME_REFUSAL:
		return "refused";
	case OUTCOME_NOTHING:
		return "void";
	case OUTCOME_PASSED:
		return "passed";
	}
	must_not_reach("an outcome has one of the results");
}

static void print_head(const struct body *body, FILE *out)
{
	char client[UUID_TEXT_SIZE], time[WALL_TEXT_SIZE];

	fprintf(out, "\"format\":%" PRIu32 ",\"client\":\"%s\",\"request\":%" PRIu64 ",\"time_us\":%" PRIi64 ",\"time\":", body->format,
		uuid_format(body->client, client), body->request, body->time_us);
	if (body->time_us == 0)
		fprintf(out, "null");
	else
		fprintf(out, "\"%s\"", wall_text(body->time_us, time));
	fprintf(out, ",\"check\":%s", check_text(body->check));
}

static void print_json(const char *key, json_t *json, FILE *out)
{
	must_allocate(json);
	fprintf(out, ",\"%s\":", key);
	json_dumpf(json, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	json_decref(json);
}

static void print_content(const struct operation *operation, const struct body *body, FILE *out)
{
	json_t *content = json_object();

	must_allocate(content);
	if (operation->show != NULL)
		operation->show(body, content);
	fprintf(out, ",\"kind\":\"%s\",\"kind_number\":%" PRIu32, operation->name, operation->kind);
	print_json("actor", text_json(body->actor), out);
	print_json("note", text_json(body->note), out);
	fprintf(out, ",\"forgotten\":%s", body->forgotten ? "true" : "false");
	print_json("content", content, out);
}

static void print_outcome(const struct outcome *outcome, FILE *out)
{
	fprintf(out, ",\"outcome\":{\"result\":\"%s\",\"reason\":%" PRIu32 ",\"values\":[", result_text(outcome->result),
		outcome->reason);
	for (uint32_t i = 0; i < outcome->values_count; i++)
		fprintf(out, "%s%" PRIi64, i == 0 ? "" : ",", outcome->values[i]);
	fprintf(out, "]}");
}

/* What the machine applied last. */
static void print_entry(const struct machine *machine, bool committed, FILE *out)
{
	const struct history *history = machine_history(machine);
	uint64_t entry = history_count(history) - 1;
	struct outcome outcome = machine_last_outcome(machine);
	char digest[DIGEST_TEXT_SIZE], fold[DIGEST_TEXT_SIZE];
	struct body body;
	size_t size;
	const uint8_t *bytes = history_body(history, entry, &size);
	const struct operation *operation = operation_parse(bytes, size, &body);

	must(operation != NULL);
	fprintf(out, "{\"op\":%" PRIu64 ",\"committed\":%s,", history_op_of(history, entry), committed ? "true" : "false");
	print_head(&body, out);
	print_content(operation, &body, out);
	print_outcome(&outcome, out);
	fprintf(out, ",\"digest\":\"%s\",\"fold\":\"%s\",\"body\":\"", digest_format(history_digest(history), digest),
		digest_format(machine_fold(machine), fold));
	print_hex(bytes, size, out);
	fprintf(out, "\"}\n");
}

void check_json_print(const struct history *history, uint64_t entries_max, uint64_t commit, FILE *out)
{
	struct machine *again = machine_new(entries_max);
	char error[256];

	for (uint64_t entry = 0; entry < history_count(history); entry++) {
		uint64_t op = history_op_of(history, entry);
		size_t size;
		const uint8_t *body = history_body(history, entry, &size);

		must(op == 0 ? machine_load(again, body, size, error, sizeof error)
			     : machine_apply(again, body, size) == MACHINE_APPLIED);
		print_entry(again, op <= commit, out);
	}
	machine_free(again);
}

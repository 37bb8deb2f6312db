/* What operations mean, and what is made of a verdict: what server/machine, requests.c and answers.c do. An operation is the text
 * "CLIENT/REQUEST WORDS". "stock cake" adds one cake, "take cake" takes one: it is not admitted when there is none, and waits when the
 * log may take the last; "grab cake" takes one without asking first; "void" makes its number nothing. All else is an order. */
#include "tests/scenarios/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool body_split(const char *body, struct uuid *client, uint64_t *request, struct digest *content)
{
	char name[16];
	int end = 0;

	memset(client, 0, sizeof *client);
	if (sscanf(body, "%15[^/ ]/%" SCNu64 "%n", name, request, &end) != 2)
		return false;
	memcpy(client->bytes, name, strlen(name));
	*content = digest_of(body + end, strlen(body + end));
	return true;
}

static const char *words_of(const char *body)
{
	const char *space = strchr(body, ' ');

	return space == NULL ? "" : space + 1;
}

static bool is_void(const char *body)
{
	return strcmp(words_of(body), "void") == 0;
}

/* What a "stock", "take" or "grab" is about; NULL: another operation. */
static const char *goods_of(const char *body, const char *verb)
{
	const char *words = words_of(body);
	size_t size = strlen(verb);

	return strncmp(words, verb, size) == 0 && words[size] == ' ' ? words + size + 1 : NULL;
}

/* By how much it changes the stock of these goods. */
static int changes(const char *body, const char *goods)
{
	static const char *const verbs[] = {"stock", "take", "grab"};

	for (size_t i = 0; i < 3; i++) {
		const char *about = goods_of(body, verbs[i]);

		if (about != NULL && strcmp(about, goods) == 0)
			return i == 0 ? 1 : -1;
	}
	return 0;
}

/* After the first `count` operations. */
static int stock(const struct history *history, uint64_t count, const char *goods)
{
	int left = 0;

	for (uint64_t i = 0; i < count; i++) {
		int change = changes(history->list[i], goods);

		if (left + change >= 0) /* else it was refused */
			left += change;
	}
	return left;
}

enum became stage_became(const struct history *history, uint64_t op)
{
	const char *body = history->list[op - 1];
	const char *goods = goods_of(body, "take");

	must(op > 0);
	must(op <= history->count);
	if (is_void(body))
		return BECAME_VOID;
	if (goods == NULL)
		goods = goods_of(body, "grab");
	return goods != NULL && stock(history, op - 1, goods) == 0 ? BECAME_REFUSED : BECAME_DONE;
}

/* --- questions of the core ---------------------------------------------------------------------------------------- */

static enum replica_known lookup(void *context, struct uuid client, uint64_t request, struct digest content,
				 uint64_t *op)
{
	const struct replica_process *p = context;
	enum replica_known known = KNOWN_NEW;

	for (uint32_t i = 0; i < p->live.count; i++) {
		struct uuid who;
		struct digest what;
		uint64_t number;

		must(body_split(p->live.list[i], &who, &number, &what));
		if (!uuid_equal(who, client))
			continue;
		if (number == request) {
			*op = i + 1;
			return digest_equal(what, content) ? KNOWN_DECIDED : KNOWN_REUSED;
		}
		if (number > request && known == KNOWN_NEW) {
			*op = i + 1;
			known = KNOWN_PASSED;
		}
	}
	return known;
}

static bool key(void *context, const uint8_t *bytes, uint32_t size, struct uuid *client, uint64_t *request,
		struct digest *content)
{
	(void)context;
	return size == STAGE_BODY && body_split((const char *)bytes, client, request, content);
}

static enum replica_admission admit(void *context, uint64_t token)
{
	const struct replica_process *p = context;
	const char *goods = goods_of(((struct call *)(uintptr_t)token)->asked.body, "take");
	int left = goods == NULL ? 1 : stock(&p->live, p->live.count, goods);

	if (left == 0)
		return ADMISSION_REFUSED;
	for (uint64_t op = p->live.count + 1; goods != NULL && op <= replica_last_op(p->core); op++)
		left -= changes((const char *)replica_entry_at(p->core, op).body, goods) < 0;
	return left > 0 ? ADMISSION_GIVEN : ADMISSION_WAITS;
}

/* Chained, as the digest of the history is. */
static bool fold_at(void *context, uint64_t op, struct digest *fold)
{
	const struct replica_process *p = context;

	if (op > p->live.count)
		return false;
	*fold = history_digest(&p->live, (uint32_t)op);
	fold->low += p->other_from != 0 && op >= p->other_from;
	return true;
}

static uint64_t state_bytes(void *context)
{
	(void)context;
	return LIMIT_STATE_CHUNK_BYTES / 2; /* one push carries it */
}

struct replica_service stage_service(struct replica_process *p)
{
	return (struct replica_service){.context = p, .lookup = lookup, .key = key, .admit = admit, .fold_at = fold_at,
					.state_bytes = state_bytes};
}

struct replica_request stage_write(const struct item *asked, uint64_t token)
{
	struct replica_request write = {.token = token, .view = asked->number, .floor = asked->floor,
					.ends_doubt = is_void(asked->body)};

	must(body_split(asked->body, &write.client, &write.number, &write.content));
	return write;
}

/* --- what is told ------------------------------------------------------------------------------------------------- */

static struct told by_the_log(const struct item *answer)
{
	bool was_done = answer->became == BECAME_DONE;

	if (is_void(answer->body))
		return was_done ? (struct told){ATTEMPT_REFUSED_FOR_GOOD, "it was done before", true}
				: (struct told){ATTEMPT_DONE, "void", true};
	if (answer->became == BECAME_VOID)
		return (struct told){ATTEMPT_REFUSED_FOR_GOOD, "void", true};
	if (answer->verdict == VERDICT_REUSED)
		return (struct told){ATTEMPT_REFUSED_FOR_GOOD, "another order has that number", false};
	if (answer->became == BECAME_PASSED)
		return (struct told){ATTEMPT_REFUSED_FOR_GOOD, "superseded", false};
	return was_done ? (struct told){ATTEMPT_DONE, "done", true} : (struct told){ATTEMPT_REFUSED_FOR_GOOD, "none left, for good", true};
}

struct told stage_told(const struct item *answer)
{
	switch (answer->verdict) {
	case VERDICT_DECIDED:
	case VERDICT_REUSED:
	case VERDICT_PASSED:
		return by_the_log(answer);
	case VERDICT_MOVED:
		return (struct told){ATTEMPT_UNKNOWN, "moved", false};
	case VERDICT_DECLINED:
		return (struct told){ATTEMPT_REFUSED, "declined", false};
	case VERDICT_NOT_ADMITTED:
		return (struct told){ATTEMPT_REFUSED, "none left", false};
	case VERDICT_FULL:
		return (struct told){ATTEMPT_UNAVAILABLE, "no room for more orders", false};
	case VERDICT_DISK_FULL:
		return (struct told){ATTEMPT_UNAVAILABLE, "disk full", false};
	case VERDICT_TOO_FEW:
		return (struct told){ATTEMPT_UNAVAILABLE, "too few members", false};
	case VERDICT_BUSY:
		return (struct told){ATTEMPT_BUSY, "busy", false};
	}
	must_not_reach("a verdict");
}

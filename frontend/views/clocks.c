#include "frontend/views/clocks.h"

#include <inttypes.h>
#include <stdio.h>

#include "frontend/views/actions.h"
#include "frontend/views/known.h"

#define CLOCK_TEXT_SIZE 32
#define FAR_US (60 * INT64_C(1000000))
#define NEAR_AGAIN_US (50 * INT64_C(1000000)) /* hysteresis: a clock at the limit is not logged again and again */

static int64_t difference(int64_t a_us, int64_t b_us)
{
	int64_t result_us;

	if (__builtin_sub_overflow(a_us, b_us, &result_us))
		return a_us < b_us ? INT64_MIN : INT64_MAX;
	return result_us;
}

void vm_clocks_heard(struct views *v, struct known *k, const struct report *report)
{
	k->clock_us = difference(report->clock_us, v->wall_us);
}

/* By how much this clock differs from the nearest of those that it is far from, if they are the majority; 0: it is not
 * far. All clocks are relative to ours. */
static int64_t far_from_others(const struct views *v, const struct known *self, int64_t clock_us, int64_t limit_us)
{
	uint32_t others = 0, far = 0;
	int64_t nearest_us = 0;

	for (uint32_t i = 0; i <= LIMIT_REPLICAS; i++) {
		const struct known *k = i < LIMIT_REPLICAS ? &v->known[i] : NULL; /* the last clock is ours */

		if (k == self || (k != NULL && (k->id == 0 || !vm_known_reachable(v, k))))
			continue;

		int64_t by_us = difference(clock_us, k == NULL ? 0 : k->clock_us);

		others++;
		if (by_us <= limit_us && by_us >= -limit_us)
			continue;
		far++;
		if (nearest_us == 0 || (by_us > 0 ? by_us : -(by_us + 1)) < (nearest_us > 0 ? nearest_us : -(nearest_us + 1)))
			nearest_us = by_us;
	}
	must((far == 0) == (nearest_us == 0));
	return far * 2 > others ? nearest_us : 0;
}

static const char *span_text(int64_t us, char text[static CLOCK_TEXT_SIZE])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{31556952, "years"}, {86400, "days"}, {3600, "hours"}, {60, "minutes"}};
	uint64_t seconds = (uint64_t)(us < 0 ? -(us + 1) : us) / 1000000;

	snprintf(text, CLOCK_TEXT_SIZE, "%" PRIu64 " seconds", seconds);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (seconds < 2 * units[i].seconds)
			continue;
		snprintf(text, CLOCK_TEXT_SIZE, "%" PRIu64 " %s", (seconds + units[i].seconds / 2) / units[i].seconds, units[i].name);
		break;
	}
	return text;
}

static void say(struct views *v, uint32_t id, int64_t by_us)
{
	char span[CLOCK_TEXT_SIZE], whose[32];

	if (id == 0)
		snprintf(whose, sizeof whose, "of this front-end");
	else
		snprintf(whose, sizeof whose, "of replica %" PRIu32, id);
	if (by_us == 0)
		vm_say(v, LOG_LEVEL_INFO, "the clock %s agrees with the others again", whose);
	else
		vm_say(v, LOG_LEVEL_WARN, "the clock %s is %s %s the others': set it right", whose,
		       span_text(by_us, span), by_us > 0 ? "ahead of" : "behind");
}

static void update(struct views *v, const struct known *k, int64_t clock_us, int64_t *far_us)
{
	int64_t by_us = far_from_others(v, k, clock_us, *far_us == 0 ? FAR_US : NEAR_AGAIN_US);
	bool changed = (by_us == 0) != (*far_us == 0) || (by_us > 0) != (*far_us > 0);

	*far_us = by_us;
	if (changed)
		say(v, k == NULL ? 0 : k->id, by_us);
}

void vm_clocks_tick(struct views *v)
{
	if (v->now_ms < v->clocks_from_ms) /* RULE 16 */
		return;
	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		struct known *k = &v->known[i];

		if (k->id != 0 && vm_known_reachable(v, k))
			update(v, k, k->clock_us, &k->clock_far_us);
	}
	update(v, NULL, 0, &v->clock_far_us);
}

/* The first op without a real time, as reported by any member whose clock is not far. */
static uint64_t suspect_op(const struct views *v)
{
	uint64_t op = 0;

	for (uint32_t i = 0; i < LIMIT_REPLICAS; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && vm_known_is_member(v, k) && vm_known_reachable(v, k) && k->clock_far_us == 0 &&
		    k->report.time_suspect_op != 0 && (op == 0 || k->report.time_suspect_op < op))
			op = k->report.time_suspect_op;
	}
	return op;
}

void vm_clocks_explain(const struct views *v, char *text, size_t size)
{
	char span[CLOCK_TEXT_SIZE];
	size_t used = 0;
	uint64_t op = suspect_op(v);

	text[0] = '\0';
	if (op != 0)
		used = (size_t)snprintf(text, size, "; order times are not real from op %" PRIu64
					" on: the last is repeated until the clocks reach it", op);
	for (uint32_t i = 0; i < LIMIT_REPLICAS && used + 80 < size; i++) {
		const struct known *k = &v->known[i];

		if (k->id != 0 && k->clock_far_us != 0 && vm_known_reachable(v, k))
			used += (size_t)snprintf(text + used, size - used, "; the clock of replica %" PRIu32 " is %s %s", k->id,
						 span_text(k->clock_far_us, span), k->clock_far_us > 0 ? "ahead" : "behind");
	}
	if (v->clock_far_us != 0 && used + 80 < size)
		snprintf(text + used, size - used, "; the front-end's clock is %s %s", span_text(v->clock_far_us, span),
			 v->clock_far_us > 0 ? "ahead" : "behind");
}


/* The conclusions from a survey's answers: where the front-end is, and which copies are missing. */
#include "client/survey_tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/advice.h"
#include "rpc/base/wall.h"
#include "rpc/cluster/convert.h"

static bool answered(const struct jh_replica_row *row)
{
	return row->role != JH_ROLE_DOWN;
}

static const char *frontend_of(const struct jh_replica_row *row, char text[static JH_ADDRESS_MAX + 1])
{
	return convert_text(text, JH_ADDRESS_MAX + 1, row->frontend.jh_address_val, row->frontend.jh_address_len);
}

/* The row that hears a front-end now; else the one that heard one last; NULL: none ever did. */
static const struct jh_replica_row *hears(const struct jh_cluster_status *status)
{
	const struct jh_replica_row *best = NULL;

	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];

		if (!answered(row) || row->frontend.jh_address_len == 0)
			continue;
		if (best == NULL || row->managed > best->managed ||
		    (row->managed == best->managed && row->frontend_age_ms < best->frontend_age_ms))
			best = row;
	}
	return best;
}

void survey_tell_frontend(const struct client_options *options, const struct jh_cluster_status *status, char *error,
			  size_t size)
{
	const struct jh_replica_row *row = hears(status);
	struct client_options there = *options;
	char address[JH_ADDRESS_MAX + 1], age[TEXT_TIME_SIZE], *command;
	size_t used = strlen(error);

	if (row == NULL)
		return;
	frontend_of(row, address);
	if (!row->managed) {
		snprintf(error + used, size - used, " (replica %u heard the last one at %s, %s ago)", row->id, address,
			 text_duration(row->frontend_age_ms / 1000, age));
		return;
	}
	there.frontend = address;
	command = advice_command(&there, "status");
	snprintf(error, size,
		 "no front-end answers on %s, and none is to be started: replica %u is managed by the one at %s: `%s`",
		 options->frontend, row->id, address, command);
	free(command);
}

/* The list of expected replicas of the highest view among the answers. */
static const struct jh_replica_row *newest(const struct jh_cluster_status *status)
{
	const struct jh_replica_row *best = NULL;

	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];

		if (answered(row) && row->expects.expects_len > 0 && (best == NULL || row->view > best->view))
			best = row;
	}
	return best;
}

static const struct jh_replica_row *row_of(const struct jh_cluster_status *status, uint32_t id)
{
	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		if (status->replicas.replicas_val[i].id == id)
			return &status->replicas.replicas_val[i];
	}
	return NULL;
}

/* A replica that does not answer cannot say whether it is expected; the newest view does. */
static void mark_expected(struct jh_cluster_status *status, const struct jh_replica_row *best)
{
	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		struct jh_replica_row *row = &status->replicas.replicas_val[i];

		row->expected = false;
		for (u_int k = 0; k < best->expects.expects_len; k++)
			row->expected |= best->expects.expects_val[k].id == row->id;
	}
}

void survey_tell_copies(struct jh_cluster_status *status, char *text, size_t size)
{
	const struct jh_replica_row *best = newest(status);
	size_t used;

	text[0] = '\0';
	if (best == NULL)
		return;
	status->expected = best->expects.expects_len;
	mark_expected(status, best);
	for (u_int i = 0; i < status->replicas.replicas_len; i++) {
		const struct jh_replica_row *row = &status->replicas.replicas_val[i];

		status->copies += answered(row) && row->member && row->view == best->view;
	}
	if (status->copies >= status->expected)
		return;
	used = (size_t)snprintf(text, size, "; %u of %u copies answer here", status->copies, status->expected);
	for (u_int i = 0; i < best->expects.expects_len && used < size; i++) {
		const jh_expected *expected = &best->expects.expects_val[i];
		const struct jh_replica_row *row = row_of(status, expected->id);
		char when[WALL_TEXT_SIZE];

		if (expected->lost_us == 0 || (row != NULL && answered(row)))
			continue;
		int more = snprintf(text + used, size - used, ", replica %u lost since %s", expected->id,
				    wall_text(expected->lost_us, when));

		if (more < 0 || (size_t)more >= size - used) {
			text[used] = '\0'; /* an entry that does not fit is left out whole */
			return;
		}
		used += (size_t)more;
	}
}

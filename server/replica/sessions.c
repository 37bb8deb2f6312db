#include "server/replica/sessions.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define uthash_fatal(message) shortage_of_memory(message)
#include <uthash.h>

/* One request in the log. Linked twice: among its client's, and among all in the order of the log. */
struct request {
	struct session *session;
	struct request *older, *newer;   /* of the same client */
	struct request *later;           /* in the log */
	uint64_t number;
	uint64_t op;
	struct digest content;
};

struct session {
	struct uuid client;
	struct request *newest, *oldest; /* almost always one: a client has one request in flight */
	UT_hash_handle hh;
};

struct sessions {
	struct session *by_client;
	struct request *first, *last;    /* in the order of the log */
};

struct sessions *sessions_new(void)
{
	struct sessions *sessions = calloc(1, sizeof *sessions);

	must_allocate(sessions);
	return sessions;
}

/* The first request of the log is also the oldest of its client. */
static void drop_first(struct sessions *sessions)
{
	struct request *request = sessions->first;
	struct session *session = request->session;

	must(session->oldest == request);
	must(sessions->by_client != NULL);
	sessions->first = request->later;
	if (sessions->first == NULL)
		sessions->last = NULL;
	session->oldest = request->newer;
	if (session->oldest == NULL) {
		HASH_DEL(sessions->by_client, session);
		free(session);
	} else {
		session->oldest->older = NULL;
	}
	free(request);
}

void sessions_clear(struct sessions *sessions)
{
	while (sessions->first != NULL)
		drop_first(sessions);
	must(sessions->by_client == NULL);
}

void sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	sessions_clear(sessions);
	free(sessions);
}

static struct session *find(const struct sessions *sessions, struct uuid client)
{
	struct session *session;

	HASH_FIND(hh, sessions->by_client, &client, sizeof client, session);
	return session;
}

void sessions_add(struct sessions *sessions, struct uuid client, uint64_t request, struct digest content, uint64_t op)
{
	struct session *session = find(sessions, client);
	struct request *added = malloc(sizeof *added);

	must_allocate(added);
	if (session == NULL) {
		session = calloc(1, sizeof *session);
		must_allocate(session);
		session->client = client;
		HASH_ADD(hh, sessions->by_client, client, sizeof session->client, session);
	}
	must(session->newest == NULL || session->newest->number < request); /* RULE 11 */
	must(sessions->last == NULL || sessions->last->op < op);
	*added = (struct request){
		.session = session, .older = session->newest, .number = request, .op = op, .content = content};
	if (session->newest != NULL)
		session->newest->newer = added;
	else
		session->oldest = added;
	session->newest = added;
	if (sessions->last != NULL)
		sessions->last->later = added;
	else
		sessions->first = added;
	sessions->last = added;
}

void sessions_applied(struct sessions *sessions, uint64_t op)
{
	while (sessions->first != NULL && sessions->first->op <= op)
		drop_first(sessions);
}

enum replica_known sessions_lookup(const struct sessions *sessions, struct uuid client, uint64_t request,
				   struct digest content, uint64_t *op)
{
	const struct session *session = find(sessions, client);

	if (session == NULL || request > session->newest->number)
		return KNOWN_NEW;
	for (const struct request *known = session->newest; known != NULL && known->number >= request;
	     known = known->older) {
		*op = known->op; /* of the lowest number so far, which is applied first */
		if (known->number == request) {
			return digest_equal(known->content, content) ? KNOWN_DECIDED : KNOWN_REUSED; /* RULE 11 */
		}
	}
	return KNOWN_PASSED; /* RULE 11 */
}

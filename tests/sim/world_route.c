/* The front-end's process: what its router asks for, and what comes of the calls, as frontend/client_requests.c does it. */
#include <inttypes.h>

#include "tests/sim/internal.h"
#include "tests/unit/support_reply.h"

static void route_send(void *context, struct router_request *request, uint32_t to, uint64_t view, uint64_t floor,
		       bool at_primary, uint32_t timeout_ms)
{
	struct world *w = context;
	struct client *client = (struct client *)request;
	struct conn *conn = w->front->links[to];

	must(conn != NULL);
	client->serial++;
	net_send(w, conn, CLIENT_END,
		 &(struct message){.kind = client->reads ? MSG_QUERY : MSG_SUBMIT,
				   .call = (uint64_t)client->index << 32 | client->serial,
				   .asking = {.view = view, .floor = floor, .at_primary = at_primary, .client = client->as,
					      .request = client->request, .content = client->sent}});
	world_at(w, (uint64_t)timeout_ms * 1000,
		 (struct world_event){.kind = EV_CALL_LATE, .node = w->front->process, .life = w->front->life, .pointer = client,
				      .value = client->serial});
}

static void route_answer(void *context, struct router_request *request, enum router_end how, const void *payload,
			 const char *text)
{
	struct world *w = context;
	struct client *client = (struct client *)request;
	const struct answering *answer = payload;

	world_say(w, "%s %" PRIu32 " request %" PRIu64 " ends: %d %s op %" PRIu64,
		  client_stray(client) ? "late call of client" : "client", client->as, client->request,
		  (int)how, text != NULL ? text : "", answer != NULL ? answer->op : 0);
	client_answered(w, client, how, answer);
}

static void route_pause(void *context, bool paused)
{
	(void)context;
	(void)paused;
}

static void route_forget(void *context, struct router_request *request)
{
	(void)context;
	((struct client *)request)->serial++; /* client_lost() follows */
}

static void demand_soon(struct world *w)
{
	if (w->front->demand_due)
		return;
	w->front->demand_due = true;
	world_at(w, 0, (struct world_event){.kind = EV_DEMAND, .node = w->front->process, .life = w->front->life});
}

static void route_demand(void *context)
{
	demand_soon(context);
}

const struct router_shell route_shell = {.send = route_send, .answer = route_answer, .pause = route_pause,
					.demand = route_demand, .forget = route_forget};

void route_tick_soon(struct world *w)
{
	if (w->front->router_due)
		return;
	w->front->router_due = true;
	world_at(w, ROUTER_TICK_MS * UINT64_C(1000),
		 (struct world_event){.kind = EV_ROUTER_TICK, .node = w->front->process, .life = w->front->life});
}

void front_asked(struct world *w, struct client *client)
{
	route_tick_soon(w);
	if (client->reads)
		router_read(w->front->router, &client->head, front_ms(w), 500 + world_draw(w, 5000));
	else
		router_write(w->front->router, &client->head, front_ms(w), 500 + world_draw(w, 5000));
}

static enum router_reply reply_of(const struct message *message)
{
	return message->kind == MSG_REPLY_QUERY ? reply_of_read(message->answering.moved) : reply_of_verdict(message->answering.verdict);
}

void route_answered(struct world *w, const struct message *message)
{
	struct client *client = &w->clients[message->call >> 32];

	if (!client->in_router || client->home != w->front ||
	    (client->serial & UINT32_MAX) != (message->call & UINT32_MAX))
		return; /* out of date */
	if (!client->head.sent)
		w->counts->given_up++;
	router_answered(w->front->router, &client->head, reply_of(message), message->answering.shows, &message->answering,
			front_ms(w));
}

void route_call_late(struct world *w, struct client *client, uint64_t serial)
{
	if (!client->in_router || client->home != w->front || client->serial != serial)
		return;
	if (!client->head.sent)
		w->counts->given_up++;
	router_answered(w->front->router, &client->head, ROUTER_REPLY_AGAIN, 0, NULL, front_ms(w));
}

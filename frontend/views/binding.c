#include "frontend/views/binding.h"

#include "frontend/views/actions.h"
#include "frontend/views/connection.h"

void vm_bind_ask(struct views *v, struct known *k, uint64_t round)
{
	must(k->link == LINK_UP);
	if (k->bind_open && v->now_ms >= k->bind_ms)
		vm_connection_close(v, k, 0);
	if (k->bind_open || k->link != LINK_UP)
		return;
	k->bind_open = true;
	k->bind_ms = v->now_ms + BIND_WAIT_MS;
	k->bind_round = round;
	k->confirmed = false; /* RULE 20: what an earlier round confirmed may have changed since */
	vm_do_bind(v, k);
}

void vm_bind(struct views *v, struct known *k)
{
	if (!k->bound)
		vm_bind_ask(v, k, 0);
}

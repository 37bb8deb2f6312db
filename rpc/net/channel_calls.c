#include "rpc/net/channel_calls.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

#define FIRST_BUCKETS 64
#define SPARE_CALLS 1024

static struct call_queue *bucket(struct call_table *table, uint32_t xid)
{
	return &table->buckets[xid & (table->buckets_count - 1)];
}

static void set_buckets(struct call_table *table, size_t count)
{
	struct call_queue *old = table->buckets;
	size_t old_count = table->buckets_count;
	struct call *call;

	table->buckets = malloc(count * sizeof *table->buckets);
	must_allocate(table->buckets);
	table->buckets_count = count;
	for (size_t i = 0; i < count; i++)
		TAILQ_INIT(&table->buckets[i]);
	for (size_t i = 0; i < old_count; i++) {
		while ((call = TAILQ_FIRST(&old[i])) != NULL) {
			TAILQ_REMOVE(&old[i], call, link);
			TAILQ_INSERT_TAIL(bucket(table, call->xid), call, link);
		}
	}
	free(old);
}

void call_table_init(struct call_table *table)
{
	*table = (struct call_table){0};
	TAILQ_INIT(&table->spare);
	set_buckets(table, FIRST_BUCKETS);
}

void call_queue_free(struct call_queue *queue)
{
	struct call *call;

	while ((call = TAILQ_FIRST(queue)) != NULL) {
		TAILQ_REMOVE(queue, call, link);
		free(call);
	}
}

void call_table_free(struct call_table *table)
{
	for (size_t i = 0; i < table->buckets_count; i++)
		call_queue_free(&table->buckets[i]);
	free(table->buckets);
	call_queue_free(&table->spare);
	deadlines_free(&table->deadlines);
}

struct call *call_table_new_call(struct call_table *table)
{
	struct call *call = TAILQ_FIRST(&table->spare);

	if (call != NULL) {
		TAILQ_REMOVE(&table->spare, call, link);
		table->spare_count--;
		return call;
	}
	call = malloc(sizeof *call);
	must_allocate(call);
	return call;
}

void call_table_free_call(struct call_table *table, struct call *call)
{
	if (table->spare_count >= SPARE_CALLS) {
		free(call);
		return;
	}
	TAILQ_INSERT_HEAD(&table->spare, call, link);
	table->spare_count++;
}

void call_table_add(struct call_table *table, struct call *call)
{
	if (table->count == table->buckets_count)
		set_buckets(table, table->buckets_count * 2);
	TAILQ_INSERT_TAIL(bucket(table, call->xid), call, link);
	deadlines_add(&table->deadlines, &call->deadline);
	table->count++;
}

void call_table_take(struct call_table *table, struct call *call)
{
	must(table->count > 0);
	TAILQ_REMOVE(bucket(table, call->xid), call, link);
	deadlines_remove(&table->deadlines, &call->deadline);
	table->count--;
}

struct call *call_table_find(struct call_table *table, uint32_t xid)
{
	struct call *call;

	TAILQ_FOREACH(call, bucket(table, xid), link)
		if (call->xid == xid)
			return call;
	return NULL;
}

struct call *call_table_first(const struct call_table *table)
{
	return (struct call *)deadlines_first(&table->deadlines);
}

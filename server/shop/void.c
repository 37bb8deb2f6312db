#include "server/shop/void.h"

#include "rpc/shop.h"

static bool is_canonical(const void *content, size_t size)
{
	(void)content;
	return size == 0;
}

static void prefetch(const struct shop *shop, const struct body *body)
{
	(void)shop;
	(void)body;
}

static void apply(struct shop *shop, uint32_t entry, const struct body *body, struct outcome *outcome)
{
	(void)shop;
	(void)entry;
	(void)body;
	outcome->result = OUTCOME_NOTHING;
}

static bool encode(const struct jh_operation *asked, struct encoder *content, struct operation_problem *problem)
{
	(void)asked;
	(void)content;
	(void)problem;
	return true;
}

static void answer(const struct shop *shop, uint64_t op, struct jh_operation_answer *to)
{
	(void)shop;
	(void)op;
	to->kind = JH_OPERATION_VOID;
}

const struct operation void_operation = {
	.kind = JH_OPERATION_VOID,
	.first_format = 3,
	.name = "void",
	.ends_doubt = true,
	.is_canonical = is_canonical,
	.prefetch = prefetch,
	.apply = apply,
	.encode = encode,
	.answer = answer,
};

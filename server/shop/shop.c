#include "server/shop/shop.h"

#include <stdlib.h>

#include "rpc/base/must.h"
#include "rpc/base/shortage.h"

struct shop {
	uint32_t rows;
	void *folds[]; /* by row of the table */
};

struct shop *shop_new(const struct history *history, uint32_t entries_max)
{
	struct shop *shop = calloc(1, sizeof *shop + operation_table_size * sizeof shop->folds[0]);

	must_allocate(shop);
	shop->rows = operation_table_size;
	for (uint32_t i = 0; i < shop->rows; i++)
		if (operation_table[i]->fold_new != NULL)
			shop->folds[i] = operation_table[i]->fold_new(history, entries_max);
	return shop;
}

void shop_free(struct shop *shop)
{
	for (uint32_t i = 0; i < shop->rows; i++)
		if (shop->folds[i] != NULL)
			operation_table[i]->fold_free(shop->folds[i]);
	free(shop);
}

uint64_t shop_memory(const struct shop *shop)
{
	uint64_t memory = sizeof *shop + shop->rows * sizeof shop->folds[0];

	for (uint32_t i = 0; i < shop->rows; i++)
		if (shop->folds[i] != NULL)
			memory += operation_table[i]->fold_memory(shop->folds[i]);
	return memory;
}

void *shop_fold(const struct shop *shop, const struct operation *operation)
{
	for (uint32_t i = 0; i < shop->rows; i++)
		if (operation_table[i] == operation)
			return shop->folds[i];
	must_not_reach("every kind is a row of the table");
}

/* The front-end as anybody's program sees it: rpc/frontend.x and stock libtirpc, one blocking connection. It shares
 * nothing with our own transport and client, so that a fault there cannot hide one here. It does not ask again and
 * judges nothing: that is the recorder's. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/frontend.h"

#define STOCK_TAG_BYTES 12 /* of a client id: which run it belongs to; the rest is the client's index */

struct stock {
	const char *host;
	uint32_t program_base;
	char tag[STOCK_TAG_BYTES];
	CLIENT *connection; /* NULL: none */
};

/* How one call ended. */
enum stock_end {
	STOCK_NOT_SENT, /* no connection was to be had: nothing left this process */
	STOCK_LOST,     /* sent, and no answer came */
	STOCK_ANSWERED
};

void stock_client_id(const struct stock *stock, uint32_t client, char id[16]);
/* False: another run's, or nobody's (loaded at the start). */
bool stock_client_of(const struct stock *stock, const char id[16], uint32_t *client);

/* The text of postcode 0, 1, ... (to 80) in its normal form; nothing is loaded for any of them at the start. */
void stock_postcode(uint32_t postcode, char text[16]);
/* What this order is for: nobody else's order has the same. */
void stock_item(uint32_t client, uint64_t request, char text[48]);

/* PLACE_ORDER once. The result is the caller's to free (stock_free_write) when ANSWERED. */
enum stock_end stock_place(struct stock *stock, uint32_t client, uint64_t request, uint32_t postcode,
			   jh_write_result *result);
/* READ_HISTORY once: the newest `limit` orders below number `before` (0: the newest of all). */
enum stock_end stock_read(struct stock *stock, uint32_t postcode, uint32_t before, uint32_t limit,
			  jh_read_result *result);

void stock_free_write(jh_write_result *result);
void stock_free_read(jh_read_result *result);
void stock_disconnect(struct stock *stock);

/* The front-end as any other program sees it: rpc/frontend.x and stock libtirpc, one blocking connection. It shares
 * nothing with our own transport and client, so that a fault there cannot hide one here. It neither repeats nor checks
 * anything: that is the recorder's. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/frontend.h"

#define STOCK_CLIENTS_MAX 64
#define STOCK_TAG_BYTES 12 /* of a client id: identifies the run; the rest is the client's index */

struct stock {
	const char *host;
	uint32_t program_base;
	char tag[STOCK_TAG_BYTES];
	CLIENT *connection; /* NULL: none */
	bool knows_cluster;
	char alias[STOCK_CLIENTS_MAX][16]; /* what histories of that cluster show of our clients' ids */
};

/* How one call ended. */
enum stock_end {
	STOCK_NOT_SENT, /* no connection could be made: nothing left this process */
	STOCK_LOST,     /* sent, and no answer came */
	STOCK_ANSWERED
};

void stock_client_id(const struct stock *stock, uint32_t client, char id[16]);
/* Of what a history showed: stock_read has read one. False: of another run, or of none (loaded at the start). */
bool stock_client_of(const struct stock *stock, const char shown[16], uint32_t *client);

/* The text of postcode 0, 1, ... (to 80) in its normal form; none of them has orders at the start. */
void stock_postcode(uint32_t postcode, char text[16]);
/* The contents of this order, which no other order has. */
void stock_item(uint32_t client, uint64_t request, char text[48]);

/* PLACE_ORDER once. The caller frees the result (stock_free_write) when ANSWERED. */
enum stock_end stock_place(struct stock *stock, uint32_t client, uint64_t request, uint32_t postcode,
			   jh_write_result *result);
/* READ_HISTORY once: the newest `limit` orders below number `before` (0: the newest of all). */
enum stock_end stock_read(struct stock *stock, uint32_t postcode, uint32_t before, uint32_t limit,
			  jh_read_result *result);

void stock_free_write(jh_write_result *result);
void stock_free_read(jh_read_result *result);
void stock_disconnect(struct stock *stock);

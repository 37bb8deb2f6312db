/* Every limit of the system, named once. Reaching one gives a clear error, never unbounded memory (rule 19). The
 * limits of strings and arrays on the wire are the constants of rpc/shop.x; a test compares the two. */
#pragma once

#define LIMIT_REPLICAS 64                     /* replicas a cluster may have, learners included */
#define LIMIT_REPLICA_ID 4095u                /* the highest; its program number is the program base and its id */
#define LIMIT_PROGRAM_NUMBERS (LIMIT_REPLICA_ID + 1) /* that a cluster may have: its base, and one for each id */
#define LIMIT_VIEW_NUMBER (INT64_MAX / 2)     /* the highest accepted: always has a next one, fits view.json */
#define LIMIT_ADDRESS_BYTES 64                /* "192.0.2.7:40001", "[::1]:40001" */
#define LIMIT_CLUSTER_NAME_BYTES 64           /* the name of a cluster */
#define LIMIT_VERSION_BYTES 32                /* "0.1.0" */
#define LIMIT_CUSTOMER_BYTES 64
#define LIMIT_POSTCODE_BYTES 32               /* as typed; normalised it is at most 8 */
#define LIMIT_ITEM_BYTES 128
#define LIMIT_ITEMS 32                        /* items an order */
#define LIMIT_BODY_BYTES 8192                 /* one encoded operation: 32 items of 128 bytes fit */
#define LIMIT_HISTORY_PAGE 200                /* orders in one history answer */
#define LIMIT_RECORD_BYTES (4u << 20)         /* one RPC record, either direction */
#define LIMIT_CONNECTIONS 4608                /* a server's; the client idle for longest is closed first */
#define LIMIT_CONNECTIONS_SURPLUS 32          /* beyond a front-end's: each is refused in one answer, then closed */
#define LIMIT_SURPLUS_S 2                     /* and may wait so long with its call */
#define LIMIT_CALLS_IN_FLIGHT 8192            /* calls of one connection not yet answered */
#define LIMIT_CLIENT_CALLS 64                 /* the same for a client of a front-end: one must not fill the queue */
#define LIMIT_OUTPUT_BYTES (8u << 20)         /* answers that a peer has not read; beyond it we stop reading */
#define LIMIT_HELD_BYTES (256u << 20)         /* partial records and unread answers of all connections of a server
					       * together */
#define LIMIT_CLIENT_IDLE_S 600               /* a client connection silent for longer may be closed */
#define LIMIT_QUEUE_REQUESTS 8192             /* the front-end's queue; full: it stops reading from clients */
#define LIMIT_PUSH_BYTES (512u << 10)         /* entries in one push */
#define LIMIT_PUSH_ENTRIES 2048
#define LIMIT_STATE_CHUNK_BYTES (256u << 10)  /* of order-history state in one push */
#define LIMIT_LOG_BYTES (32u << 20)           /* applied entries that a replica keeps in memory for lagging backups */
#define LIMIT_UNAPPLIED_ENTRIES 16384         /* entries in a log above the commit point */
#define LIMIT_HELD_CALLS 8192                 /* submits and reads a replica holds while it settles or catches up */
#define LIMIT_ORDERS_DEFAULT 10000000u        /* --max-orders */
/* Operations that a replica holds: beyond its --max-orders a hundredth more, at least one, for those that end a doubt. */
#define LIMIT_OPERATIONS(orders_max) ((orders_max) + ((orders_max) + 99) / 100)
#define LIMIT_POSTCODE_CHECKS 1024            /* postcodes being looked up at once; beyond it a check is busy */
#define LIMIT_POSTCODE_WAITERS 8192           /* callers waiting for these, several may wait for one */
#define LIMIT_POSTCODE_CONNECTIONS 16         /* to one provider; bounds blocked resolver threads, too */
#define LIMIT_POSTCODE_CACHE 131072           /* cached answers */

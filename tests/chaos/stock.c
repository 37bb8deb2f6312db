#include "tests/chaos/stock.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <rpc/pmap_prot.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_S 3          /* longer than the front-end is asked to try, so that its answer arrives first */
#define FRONTEND_MS 2000
#define CONNECT_S 2

void stock_client_id(const struct stock *stock, uint32_t client, char id[16])
{
	memcpy(id, stock->tag, STOCK_TAG_BYTES);
	for (int i = 0; i < 4; i++)
		id[STOCK_TAG_BYTES + i] = (char)(client >> (24 - 8 * i) & 0xff);
}

bool stock_client_of(const struct stock *stock, const char shown[16], uint32_t *client)
{
	for (*client = 0; *client < STOCK_CLIENTS_MAX; (*client)++) {
		if (memcmp(shown, stock->alias[*client], 16) == 0)
			return true;
	}
	return false;
}

void stock_postcode(uint32_t postcode, char text[16])
{
	snprintf(text, 16, "DH%u %uAA", 2 + postcode / 9 % 8, 1 + postcode % 9);
}

void stock_item(uint32_t client, uint64_t request, char text[48])
{
	snprintf(text, 48, "dish %" PRIu32 " of %" PRIu64, client, request);
}

/* NULL: no process listens there, or none answers in time. */
static CLIENT *dial(struct sockaddr_in *address, rpcprog_t program, rpcvers_t version)
{
	const struct timeval patience = {.tv_sec = CONNECT_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLIENT *client = NULL;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
	    connect(fd, (struct sockaddr *)address, sizeof *address) == 0)
		client = clnttcp_create(address, program, version, &fd, 0, 0);
	if (client == NULL && fd >= 0)
		close(fd);
	if (client != NULL)
		clnt_control(client, CLSET_FD_CLOSE, NULL);
	return client;
}

/* Not clnt_create: libtirpc 1.3.3 caches the addresses that it has looked up, and frees one twice when no process
 * answers there any more and it is looked up again. */
static CLIENT *find(const struct stock *stock)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PMAPPORT)};
	struct pmap program = {.pm_prog = stock->program_base, .pm_vers = JH_FRONTEND_V2, .pm_prot = IPPROTO_TCP};
	const struct timeval patience = {.tv_sec = CONNECT_S};
	unsigned short port = 0;

	if (inet_pton(AF_INET, stock->host, &address.sin_addr) != 1)
		return NULL;

	CLIENT *rpcbind = dial(&address, PMAPPROG, PMAPVERS);

	if (rpcbind == NULL)
		return NULL;
	clnt_call(rpcbind, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, (caddr_t)&program, (xdrproc_t)xdr_u_short, (caddr_t)&port,
		  patience);
	clnt_destroy(rpcbind);
	address.sin_port = htons(port);
	return port == 0 ? NULL : dial(&address, stock->program_base, JH_FRONTEND_V2);
}

static bool connected(struct stock *stock)
{
	struct timeval timeout = {.tv_sec = CALL_S};

	if (stock->connection)
		return true;
	stock->connection = find(stock);
	if (!stock->connection)
		return false;
	clnt_control(stock->connection, CLSET_TIMEOUT, (char *)&timeout);
	return true;
}

void stock_disconnect(struct stock *stock)
{
	if (stock->connection)
		clnt_destroy(stock->connection);
	stock->connection = NULL;
}

/* A connection that failed once is not used again: an earlier answer may still be in it. */
static enum stock_end ended(struct stock *stock, enum clnt_stat status)
{
	if (status == RPC_SUCCESS)
		return STOCK_ANSWERED;
	stock_disconnect(stock);
	return STOCK_LOST;
}

enum stock_end stock_place(struct stock *stock, uint32_t client, uint64_t request, uint32_t postcode,
			   jh_write_result *result)
{
	jh_place_args args = {.request = request, .timeout_ms = FRONTEND_MS};
	char where[16], what[48];
	jh_item item = {.jh_item_val = what};
	jh_order *order = &args.operation.jh_operation_u.order;

	if (!connected(stock))
		return STOCK_NOT_SENT;
	stock_client_id(stock, client, args.client.bytes);
	stock_postcode(postcode, where);
	stock_item(client, request, what);
	item.jh_item_len = (u_int)strlen(what);
	args.operation.kind = JH_OPERATION_ORDER;
	order->postcode.postcode_val = where;
	order->postcode.postcode_len = (u_int)strlen(where);
	order->items.items_val = &item;
	order->items.items_len = 1;
	memset(result, 0, sizeof *result);
	return ended(stock, place_order_2(&args, result, stock->connection));
}

/* Histories show SHA-256(cluster id, client id), its first 16 bytes. The cluster id never changes. */
static bool learn_aliases(struct stock *stock)
{
	static const char nil[16];
	jh_cluster_status status;
	unsigned char both[32], digest[EVP_MAX_MD_SIZE];

	if (stock->knows_cluster)
		return true;
	memset(&status, 0, sizeof status);
	if (ended(stock, cluster_status_2(NULL, &status, stock->connection)) != STOCK_ANSWERED)
		return false;
	memcpy(both, status.cluster.bytes, 16);
	xdr_free((xdrproc_t)xdr_jh_cluster_status, (char *)&status);
	if (memcmp(both, nil, 16) == 0)
		return false;
	for (uint32_t client = 0; client < STOCK_CLIENTS_MAX; client++) {
		stock_client_id(stock, client, (char *)both + 16);
		if (EVP_Digest(both, sizeof both, digest, NULL, EVP_sha256(), NULL) != 1)
			return false;
		memcpy(stock->alias[client], digest, 16);
	}
	stock->knows_cluster = true;
	return true;
}

enum stock_end stock_read(struct stock *stock, uint32_t postcode, uint32_t before, uint32_t limit,
			  jh_read_result *result)
{
	jh_read_args args = {.timeout_ms = FRONTEND_MS, .query = {.kind = JH_QUERY_HISTORY}};
	jh_history_query *query = &args.query.jh_query_u.history;
	char where[16];

	if (!connected(stock) || !learn_aliases(stock))
		return STOCK_NOT_SENT;
	stock_postcode(postcode, where);
	query->postcode.postcode_val = where;
	query->postcode.postcode_len = (u_int)strlen(where);
	query->before = before;
	query->limit = limit;
	memset(result, 0, sizeof *result);
	return ended(stock, read_history_2(&args, result, stock->connection));
}

void stock_free_write(jh_write_result *result)
{
	xdr_free((xdrproc_t)xdr_jh_write_result, (char *)result);
}

void stock_free_read(jh_read_result *result)
{
	xdr_free((xdrproc_t)xdr_jh_read_result, (char *)result);
}

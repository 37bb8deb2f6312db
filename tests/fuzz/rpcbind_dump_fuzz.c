/* The answer of any host's rpcbind to DUMP.
 *
 * Input: the results. Every accepted entry must be printable and name a TCP address that can be connected to. */
#include <string.h>

#include "fuzz.h"
#include "rpc/base/must.h"
#include "rpc/base/utf8.h"
#include "rpc/net/registry_mappings.h"

static void check(const struct mapping *mapping, const struct rpc_address *host, int host_count)
{
	struct registry_entry entry;
	struct rpc_address address;

	if (!mapping_take(mapping, host, host_count, &entry))
		return;
	must(utf8_valid_text(entry.owner, strlen(entry.owner)));
	must(rpc_address_parse(entry.address, &address));
	must(rpc_address_port(&address) != 0);
	must(host_count == 0 || !rpc_address_is_wildcard(&address));
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	struct mappings mappings = {0};
	struct rpc_address host[2];
	XDR xdr;

	must(rpc_address_parse("127.0.0.1:111", &host[0]));
	must(rpc_address_parse("192.0.2.1:111", &host[1]));
	xdrmem_create(&xdr, (char *)(uintptr_t)bytes, (u_int)size, XDR_DECODE);
	if (mappings_decode(&xdr, &mappings)) {
		must(mappings.count <= size / 24);
		for (size_t i = 0; i < mappings.count; i++) {
			check(&mappings.at[i], host, 0);
			check(&mappings.at[i], host, 1);
			check(&mappings.at[i], host + 1, 1);
		}
	}
	xdr_free((xdrproc_t)mappings_decode, &mappings);
}

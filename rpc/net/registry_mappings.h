/* What rpcbind's DUMP answers (RFC 1833 section 2.1), from any host's rpcbind: untrusted bytes. It refuses to
 * send anything: that is registry.c's. */
#pragma once

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/net/address.h"
#include "rpc/net/registry.h"

/* One entry as received; a text that is longer than its room has become "". */
struct mapping {
	uint32_t program, version;
	char netid[16];
	char address[RPC_ADDRESS_TEXT];
	char owner[32];
};

struct mappings {
	struct mapping *at;
	size_t count, capacity;
};

/* An xdrproc_t that decodes a rpcblist into zeroed memory, and frees. The record's limit bounds what it holds: a
 * mapping takes at least 24 bytes of the record and less than 150 of memory. */
bool_t mappings_decode(XDR *xdr, struct mappings *mappings);

/* Makes an entry of a mapping; all of its texts may be printed. host: the addresses that were asked, which replace a
 * wildcard (host_count 0: wildcards stay). False when the mapping does not concern us: another netid, no TCP address
 * of that netid, or a wildcard that cannot be replaced. */
bool mapping_take(const struct mapping *mapping, const struct rpc_address *host, int host_count,
		  struct registry_entry *entry);

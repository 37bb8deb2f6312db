#include "rpc/net/registry_mappings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/escape.h"
#include "rpc/base/limits.h"
#include "rpc/base/shortage.h"

/* --- decoding ----------------------------------------------------------------------------------------------------- */

/* Done here and not by xdr_rpcblist_ptr: libtirpc reads the padding of every string into one static buffer, which
 * threads that decode at the same time all write. */

/* A text that does not fit becomes "", which is no netid and no address. */
static bool take_text(XDR *xdr, char *text, u_int size)
{
	char padding[BYTES_PER_XDR_UNIT];
	u_int length;

	memset(text, 0, size);
	if (!xdr_u_int(xdr, &length))
		return false;
	if (length < size)
		return XDR_GETBYTES(xdr, text, length) && XDR_GETBYTES(xdr, padding, RNDUP(length) - length);
	return length <= LIMIT_RECORD_BYTES && XDR_SETPOS(xdr, XDR_GETPOS(xdr) + RNDUP(length));
}

static struct mapping *add_mapping(struct mappings *mappings)
{
	if (mappings->count == mappings->capacity) {
		mappings->capacity = mappings->capacity == 0 ? 64 : mappings->capacity * 2;
		mappings->at = realloc(mappings->at, mappings->capacity * sizeof *mappings->at);
		must_allocate(mappings->at);
	}
	return &mappings->at[mappings->count++];
}

bool_t mappings_decode(XDR *xdr, struct mappings *mappings)
{
	bool_t more;

	if (xdr->x_op == XDR_FREE) {
		free(mappings->at);
		*mappings = (struct mappings){0};
		return TRUE;
	}
	while (xdr_bool(xdr, &more)) {
		if (!more)
			return TRUE;

		struct mapping *mapping = add_mapping(mappings);

		if (!xdr_uint32_t(xdr, &mapping->program) || !xdr_uint32_t(xdr, &mapping->version) ||
		    !take_text(xdr, mapping->netid, sizeof mapping->netid) ||
		    !take_text(xdr, mapping->address, sizeof mapping->address) ||
		    !take_text(xdr, mapping->owner, sizeof mapping->owner))
			return FALSE;
	}
	return FALSE;
}

/* --- checking ----------------------------------------------------------------------------------------------------- */

/* "127.0.0.1:111" asked, "0.0.0.0:4711" registered: it listens on 127.0.0.1:4711, and for IPv6 on [::1]:4711. False
 * when the host was not asked through an address of that family. */
static bool replace_wildcard(struct rpc_address *entry, const struct rpc_address *host, int host_count)
{
	uint16_t port = rpc_address_port(entry);

	for (int i = 0; i < host_count; i++) {
		if (host[i].storage.ss_family != entry->storage.ss_family)
			continue;
		*entry = host[i];
		rpc_address_set_port(entry, port);
		return true;
	}
	if (!rpc_address_is_loopback(&host[0]))
		return false;
	rpc_address_parse(entry->storage.ss_family == AF_INET6 ? "::1" : "127.0.0.1", entry);
	rpc_address_set_port(entry, port);
	return true;
}

bool mapping_take(const struct mapping *mapping, const struct rpc_address *host, int host_count,
		  struct registry_entry *entry)
{
	struct rpc_address address;

	if (!rpc_address_from_universal(mapping->address, &address) || rpc_address_port(&address) == 0 ||
	    strcmp(mapping->netid, rpc_address_netid(&address)) != 0)
		return false;
	if (host_count > 0 && rpc_address_is_wildcard(&address) && !replace_wildcard(&address, host, host_count))
		return false;
	entry->program = mapping->program;
	entry->version = mapping->version;
	snprintf(entry->netid, sizeof entry->netid, "%s", mapping->netid);
	/* It is shown to operators, and was chosen by whoever runs that rpcbind. */
	escape_into(entry->owner, sizeof entry->owner, mapping->owner, strlen(mapping->owner), ESCAPE_LINE);
	rpc_address_format(&address, entry->address, sizeof entry->address);
	return true;
}

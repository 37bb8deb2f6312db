#include "rpc/base/client_alias.h"

#include <openssl/evp.h>
#include <string.h>

#include "rpc/base/must.h"

struct uuid client_alias(struct uuid cluster, struct uuid client)
{
	unsigned char both[sizeof cluster.bytes + sizeof client.bytes], digest[EVP_MAX_MD_SIZE];
	unsigned int size;
	struct uuid alias;

	if (uuid_is_nil(client))
		return client;
	must(!uuid_is_nil(cluster));
	memcpy(both, cluster.bytes, sizeof cluster.bytes);
	memcpy(both + sizeof cluster.bytes, client.bytes, sizeof client.bytes);
	must(EVP_Digest(both, sizeof both, digest, &size, EVP_sha256(), NULL) == 1);
	must(size == 32);
	memcpy(alias.bytes, digest, sizeof alias.bytes);
	return alias;
}

#include "rpc/base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

struct digest digest_of(const void *bytes, size_t size)
{
	XXH128_hash_t hash = XXH3_128bits(bytes, size);

	return (struct digest){.low = hash.low64, .high = hash.high64};
}

struct digest digest_chain(struct digest before, const void *body, size_t size)
{
	struct digest link[2] = {before, digest_of(body, size)};

	return digest_of(link, sizeof link);
}

const char *digest_format(struct digest digest, char text[static DIGEST_TEXT_SIZE])
{
	snprintf(text, DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, digest.high, digest.low);
	return text;
}

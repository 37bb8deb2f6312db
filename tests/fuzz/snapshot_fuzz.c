/* A snapshot file, as a disk may return it.
 *
 * Input: the file. It is read as it is, and again with valid checksums, so that the code behind that check is
 * reached. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rpc/base/limits.h"
#include "rpc/base/must.h"
#include "server/disk/snapshot_format.h"

static void load(const uint8_t *bytes, size_t size)
{
	struct machine *machine;
	struct snapshot_summary summary;
	char error[SNAPSHOT_ERROR_SIZE] = "";

	if (snapshot_load(fuzz_file("snapshot", bytes, size), 1000, &machine, &summary, error, sizeof error) !=
	    SNAPSHOT_LOADED) {
		must(machine == NULL);
		must(error[0] != '\0');
		return;
	}
	must(machine_op(machine) == summary.op);
	must(history_count(machine_history(machine)) <= 1000);
	machine_free(machine);
}

static void seal(uint8_t *bytes, size_t size)
{
	size_t at = HEADER_BYTES;
	uint64_t chain = 0;

	if (size < HEADER_BYTES)
		return;
	encode_hyper(bytes + HEADER_BYTES - 8, XXH3_64bits(bytes, HEADER_BYTES - 8));
	while (size - at >= FRAME_BYTES) {
		uint32_t length = decode_word(bytes + at);
		uint64_t checksum;

		if (length == 0) {
			encode_hyper(bytes + at + 8, chain);
			return;
		}
		if (length > size - at - FRAME_BYTES)
			return;
		checksum = XXH3_64bits(bytes + at + FRAME_BYTES, length);
		encode_hyper(bytes + at + 8, checksum);
		chain = chain_checksum(chain, checksum);
		at += FRAME_BYTES + length;
	}
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	uint8_t *sealed = malloc(size + 1);

	must(sealed != NULL);
	load(bytes, size);
	memcpy(sealed, bytes, size);
	seal(sealed, size);
	load(sealed, size);
	free(sealed);
}

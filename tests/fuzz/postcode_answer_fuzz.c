/* The answer of a postcode provider, or of whatever answers in its place.
 *
 * Input: a byte that chooses provider and HTTP status, then the body. */
#include "fuzz.h"
#include "rpc/base/must.h"
#include "server/shop/postcode_provider.h"

void fuzz_one(const uint8_t *bytes, size_t size)
{
	static const long statuses[] = {200, 404, 301, 429, 500, 0};
	struct fuzz_input input = {bytes, size};
	uint8_t mode = fuzz_u8(&input);
	enum postcode_provider provider = mode % POSTCODE_PROVIDERS;
	long status = statuses[mode / POSTCODE_PROVIDERS % (sizeof statuses / sizeof statuses[0])];
	const char *why;
	enum postcode_answer answer = postcode_provider_answer(provider, mode >= 128 ? "BF1 1AA" : "DH1 3LE", status,
							       (const char *)input.at, input.left, &why);

	/* A wrong "none" refuses a customer: only the service's own texts may say it. */
	must(answer == POSTCODE_ANSWER_FAILED || status == 200 || status == 404);
	must(answer != POSTCODE_ANSWER_EXISTS || status == 200);
	must(answer != POSTCODE_ANSWER_UNKNOWN || provider == GETTHEDATA || mode >= 128);
	must(answer != POSTCODE_ANSWER_NONE || (provider == POSTCODES_IO && mode < 128));
	must((why != NULL) == (answer == POSTCODE_ANSWER_FAILED));
}

/* fuzz_seeds DIR: writes DIR/NAME/seed-WHAT for each fuzzer, with the encoders that the daemons use. DIR is
 * tests/fuzz/corpus; run it again after a change of a format, and review the difference. Nothing is random. Calls
 * and answers are in seeds_calls.c, files and texts in seeds_files.c; the common part is here. */
#include "seeds.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/base/format.h"
#include "rpc/base/must.h"
#include "server/shop/initial_orders.h"
#include "server/shop/order_encoding.h"

void bytes_put(struct bytes *bytes, const void *from, size_t size)
{
	must(size <= sizeof bytes->at - bytes->size);
	if (size > 0)
		memcpy(bytes->at + bytes->size, from, size);
	bytes->size += size;
}

void bytes_put_u8(struct bytes *bytes, unsigned value)
{
	bytes_put(bytes, &(uint8_t){(uint8_t)value}, 1);
}

void bytes_put_xdr(struct bytes *bytes, xdrproc_t encode, void *value)
{
	XDR xdr;

	xdrmem_create(&xdr, (char *)bytes->at + bytes->size, (u_int)(sizeof bytes->at - bytes->size), XDR_ENCODE);
	must(encode(&xdr, value, 0));
	bytes->size += xdr_getpos(&xdr);
}

static const char *corpus;

void seed_save(const char *fuzzer, const char *what, const void *bytes, size_t size)
{
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", corpus, fuzzer);
	must(mkdir(path, 0755) == 0 || access(path, W_OK) == 0);
	snprintf(path, sizeof path, "%s/%s/seed-%s", corpus, fuzzer, what);

	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	must(fd >= 0);
	must(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

void seed_save_text(const char *fuzzer, const char *what, const char *text)
{
	seed_save(fuzzer, what, text, strlen(text));
}

struct uuid seed_uuid(uint8_t byte)
{
	struct uuid uuid;

	memset(uuid.bytes, byte, sizeof uuid.bytes);
	return uuid;
}

struct view seed_view(uint64_t number, uint32_t primary)
{
	struct view view = {.number = number, .format = FORMAT_HIGH, .primary = primary, .keeper = {1, seed_uuid(0x3a)},
			    .maker = seed_uuid(0x3a), .cluster = seed_uuid(0xc1),
			    .generation = seed_uuid(0x6e), .manager = seed_uuid(0x3a), .members_count = 3};

	for (uint32_t i = 0; i < 3; i++) {
		view.members[i] = (struct view_member){.id = i + 1, .uuid = seed_uuid((uint8_t)(i + 1))};
		snprintf(view.members[i].address, sizeof view.members[i].address, "127.0.0.1:4000%u", i);
		view.expected[view.expected_count++] = (struct expected){.id = i + 1};
	}
	return view;
}

static struct text_span text_of(const char *text)
{
	return (struct text_span){.bytes = text, .size = (uint32_t)strlen(text)};
}

size_t seed_order(uint8_t *out, uint64_t request, const char *postcode)
{
	const struct body body = {.format = FORMAT_LOW, .client = seed_uuid(0xcc), .request = request,
				  .time_us = 1700000000000000 + (int64_t)request, .check = 1};
	struct order order = {.customer = text_of("Zo\xc3\xab"), .postcode = text_of(postcode), .items_count = 2,
			    .items = {text_of("margherita"), text_of("cr\xc3\xa8me br\xc3\xbbl\xc3\xa9" "e")}};
	size_t size = order_encode_body(&body, &order, out, LIMIT_BODY_BYTES);

	must(size > 0);
	return size;
}

static bool load(void *context, const void *body, size_t size, char *error, size_t error_size)
{
	return machine_load(context, body, size, error, error_size);
}

struct machine *seed_history(unsigned count)
{
	struct machine *machine = machine_new(1000);
	char error[INITIAL_ORDERS_ERROR_SIZE];
	uint8_t body[LIMIT_BODY_BYTES];

	must(initial_orders_built_in(load, machine, error, sizeof error));
	for (unsigned i = 1; i <= count; i++)
		must(machine_apply(machine, body, seed_order(body, i, "DH1 3LE")) == MACHINE_APPLIED);
	return machine;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: fuzz_seeds DIR\n");
		return 2;
	}
	corpus = argv[1];
	must(mkdir(corpus, 0755) == 0 || access(corpus, W_OK) == 0);
	seed_calls();
	seed_files();
	return 0;
}

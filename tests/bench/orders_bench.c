/* What orders cost: prints times and memory of applying, encoding and decoding a million of them, and times of writing
 * and loading their snapshot, which is made in DIR and removed again.
 *   orders_bench DIR */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rpc/base/must.h"
#include "server/disk/snapshot.h"
#include "server/machine/machine.h"
#include "tests/unit/support_orders.h"

#define MANY 1000000u
#define PIECE_BYTES ((size_t)256 << 10)

static char error[SNAPSHOT_ERROR_SIZE];

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	must(file != NULL && fscanf(file, "%*u %lu", &pages) == 1);
	fclose(file);
	return pages * 4096;
}

static struct machine *measure_apply(void)
{
	struct machine *machine = machine_new(MANY);
	uint8_t(*bodies)[112] = malloc((size_t)MANY * sizeof *bodies);
	uint8_t body[LIMIT_BODY_BYTES];
	size_t size = make_usual_body(body, client_number(1), 1, 0);

	must(bodies != NULL);
	must(size <= sizeof *bodies);
	for (uint32_t i = 0; i < MANY; i++) {
		/* Of one size, for texts are padded. */
		must(make_usual_body(body, client_number(i + 1), 1, i * 7919u % 1000) == size);
		memcpy(bodies[i], body, size);
	}
	uint64_t before = resident_bytes();
	double start = now_s(), slowest = 0, last = start;

	for (uint32_t i = 0; i < MANY; i++) {
		must(machine_apply(machine, bodies[i], size) == MACHINE_APPLIED);
		if (i % 100 == 0) {
			double now = now_s();

			slowest = now - last > slowest ? now - last : slowest;
			last = now;
		}
		if (i + 1 == 1000 || i + 1 == MANY)
			printf("apply: %u orders, %.0f ns an order\n", i + 1, (now_s() - start) * 1e9 / (i + 1));
	}
	printf("apply: slowest 100 orders %.0f us\n", slowest * 1e6);
	printf("memory: %zu bytes a body, %.1f an order in all, %.1f beside the encoded; resident %.1f\n", size,
	       (double)machine_memory(machine) / MANY,
	       (double)(machine_memory(machine) - history_bytes(machine_history(machine))) / MANY,
	       (double)(resident_bytes() - before) / MANY);
	free(bodies);
	return machine;
}

static void measure_bytes(const struct machine *machine)
{
	struct machine *copy = machine_new(MANY);
	uint8_t *bytes = malloc(PIECE_BYTES);
	double encoding = 0, decoding = 0;

	must(bytes != NULL);
	for (uint64_t next = 0; next < MANY;) {
		double a = now_s();
		size_t got = history_encode(machine_history(machine), next, MANY, &next, bytes, PIECE_BYTES);
		double b = now_s();

		must(machine_decode(copy, 0, bytes, got, error, sizeof error));
		encoding += b - a;
		decoding += now_s() - b;
	}
	printf("encode: %.0f ms; decode: %.0f ms\n", encoding * 1e3, decoding * 1e3);
	double start = now_s();

	machine_free(copy);
	printf("free: %.0f ms\n", (now_s() - start) * 1e3);
	free(bytes);
}

static void measure_snapshot(const char *directory, const struct machine *machine)
{
	static const struct snapshot_pace at_once = {0};
	const struct history *history = machine_history(machine);
	struct snapshot_summary summary = snapshot_summary_of(history);
	struct machine *loaded;
	char path[512];
	double start = now_s();

	if (snapshot_write(directory, history, &summary, &at_once, error, sizeof error) != SNAPSHOT_WRITTEN) {
		fprintf(stderr, "orders_bench: %s\n", error);
		exit(1);
	}
	printf("write: %.0f ms for %.1f MB\n", (now_s() - start) * 1e3, (double)history_bytes(history) / 1e6);
	must(snapshot_path(directory, MANY, path, sizeof path));
	start = now_s();
	must(snapshot_load(path, MANY, &loaded, &summary, error, sizeof error) == SNAPSHOT_LOADED);
	printf("load: %.0f ms\n", (now_s() - start) * 1e3);
	machine_free(loaded);
	unlink(path);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: orders_bench DIR\n");
		return 2;
	}
	struct machine *machine = measure_apply();

	measure_bytes(machine);
	measure_snapshot(argv[1], machine);
	machine_free(machine);
	return 0;
}

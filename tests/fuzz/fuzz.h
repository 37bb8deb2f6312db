/* Fuzzers: one for each piece of code that reads foreign bytes. Each NAME_fuzz.c defines fuzz_one and describes its
 * input and what must hold; this is their common part. A finding is a crash, a sanitizer's report, a leak, a broken
 * invariant (`must`) or a hang.
 *
 * Two builds of the same files:
 *   preset fuzz (clang, libFuzzer): `cmake --preset fuzz && cmake --build --preset fuzz && ctest --preset fuzz` runs
 *     each corpus and a bounded number of new inputs; `tests/fuzz/run.sh NAME [SECONDS]` runs until it is stopped.
 *   every other build: replay.c runs the corpus, so that `ctest -L fuzz` detects regressions.
 *
 * The corpus is tests/fuzz/corpus/NAME/: seed-* are made from real encoders by seeds.c (`fuzz_seeds DIR` rewrites them
 * after a change of format), found-* once broke something and are named in the commit that fixed it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One input. It must leave no state: the next one starts from the same state. */
void fuzz_one(const uint8_t *bytes, size_t size);

/* --- reading an input --------------------------------------------------------------------------------------------- */

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_u8(struct fuzz_input *input);   /* 0 at the end */
uint16_t fuzz_u16(struct fuzz_input *input); /* big-endian */

/* The next `size` bytes, fewer at the end; *size says how many. */
const uint8_t *fuzz_take(struct fuzz_input *input, size_t *size);

/* --- files -------------------------------------------------------------------------------------------------------- */

/* A directory of this process in memory; removed at its end. */
const char *fuzz_directory(void);

/* Writes DIRECTORY/name; the path is borrowed until the next call. */
const char *fuzz_file(const char *name, const void *bytes, size_t size);

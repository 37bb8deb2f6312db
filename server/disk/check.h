/* --check: reports as JSON what a start would find in a data directory. Nothing in it is changed. */
#pragma once

#include <stdint.h>

/* Prints {id, uuid, view, op, commit, digest, tail_cut, damaged}; returns the exit status. Errors other than damage
 * end the process with one line. */
int check_directory(const char *data_dir, uint64_t orders_max);

/* --check: what a start would find in a data directory, told as JSON. Nothing in it is changed. */
#pragma once

#include <stdint.h>

/* Prints {id, uuid, view, op, commit, digest, tail_cut, damaged}; returns the exit status. Ends the process with one
 * line for what is no damage. */
int check_directory(const char *data_dir, uint64_t orders_max);

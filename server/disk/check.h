/* --check: reports as JSON what a start would find in a data directory. Nothing in it is changed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Prints {id, uuid, view, format, op, commit, digest, fold, tail_cut, damaged}, each operation before it when that is asked for;
 * returns the exit status. Errors other than damage end the process with one line. */
int check_directory(const char *data_dir, uint64_t orders_max, bool operations);

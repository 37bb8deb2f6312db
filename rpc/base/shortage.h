/* Resources that the system refuses: a descriptor, a thread, memory, space in a file. That is neither a bug of ours
 * (must.h) nor, until they know which limit is behind it, a mistake of the operator: one line names the limit, and the
 * program ends. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#define SHORTAGE_TEXT 320

/* "Too many open files: this process may have 64 open: raise `ulimit -n` (LimitNOFILE)": the error, the limit behind
 * it if there is one, and the remedy. Returns text. */
const char *shortage_text(int error, char *text, size_t size);

/* Logs "cannot CALL: " with that text for the current errno, and ends the program with status 1, whatever the other
 * threads do. call: the work and the system call, "watch descriptors: epoll_create1". */
_Noreturn void shortage(const char *component, const char *call);

/* Prints what a command still has to report in that case, and returns its exit status; NULL: nothing, and 1. */
void shortage_last(int (*last)(void));

/* Checks the result of every malloc. */
_Noreturn void shortage_of_memory(const char *function);

#define must_allocate(pointer) ((pointer) != NULL ? (void)0 : shortage_of_memory(__func__))

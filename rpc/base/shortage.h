/* What the system would not give: a descriptor, a thread, memory, a place in a file. That is no bug of ours (must.h) and
 * not the operator's mistake either until somebody says which limit is behind it: one line does, and the program ends. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#define SHORTAGE_TEXT 320

/* "Too many open files: this process may have 64 open: raise `ulimit -n` (LimitNOFILE)": the error, the limit behind it
 * if there is one, and what to do. Returns text. */
const char *shortage_text(int error, char *text, size_t size);

/* Logs "cannot CALL: " with that text for errno as it is, and ends the program with status 1, whatever the other threads
 * do. call: the work and the system call, "watch descriptors: epoll_create1". */
_Noreturn void shortage(const char *component, const char *call);

/* What a command still has to say then, and with which status it ends; NULL: nothing, and 1. */
void shortage_last(int (*last)(void));

/* For the result of every malloc. */
_Noreturn void shortage_of_memory(const char *function);

#define must_allocate(pointer) ((pointer) != NULL ? (void)0 : shortage_of_memory(__func__))

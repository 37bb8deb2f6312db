/* A machine in which requests were decided in every way that there is, by operations of the daemons' own kinds, for tests of what is
 * kept and what is told of it. */
#pragma once

#include "server/machine/machine.h"

/* The ops, and the requests of client_number(1) that they decide. Between them numbers are free. */
enum decided_op { DECIDED_DONE = 1, DECIDED_REFUSED, DECIDED_VOID, DECIDED_OPS = DECIDED_VOID };

#define REQUEST_DONE 10u
#define REQUEST_REFUSED 20u
#define REQUEST_VOIDED 30u
#define REQUEST_PASSED 25u /* none has it */
#define REQUEST_LATER 40u  /* above all */
#define REFUSAL_VALUE 7

struct machine *decided_machine(void);

size_t decided_order(void *out, uint64_t request);   /* a body of client_number(1) */
size_t decided_refusal(void *out, uint64_t request); /* one whose content was erased, and which had been refused */
size_t decided_void(void *out, uint64_t request);
struct digest decided_content(const void *body, size_t size);

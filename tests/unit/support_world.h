/* A whole cluster in one process, in virtual time, from one seed: the replication cores (server/replica), the view
 * manager's core (frontend/views) and the router, with a network that delays, stalls and breaks, disks that lose what
 * was not yet durable, processes that are killed, stopped and started at any moment, and clients that ask until they
 * are answered.
 *
 * It plays the shells' part (server/node.c, recovery.c, service.c, frontend/manager.c ...) and judges after every
 * event, by the disks, the applied operations and the answers that clients got, not by what the cores say of
 * themselves. It refuses to know any rule of replication: nothing here decides what a core should do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a run went through: a storm that tests nothing should fail its test. */
struct world_counts {
	uint64_t done;           /* writes answered DONE */
	uint64_t reads;
	uint64_t refused;
	uint64_t kills;          /* of replicas */
	uint64_t front_kills;
	uint64_t pauses;
	uint64_t breaks;
	uint64_t wipes;
	uint64_t views;          /* highest view number */
	uint64_t adoptions;      /* full states that became the live one */
	uint64_t pieces;         /* of states in more than one piece */
	uint64_t cuts;           /* tails cut after a view change */
	uint64_t admissions;
	uint64_t torn_starts;    /* recoveries that lost a pending write */
	uint64_t between;        /* crashes that left STAGED records without their STATE */
	uint64_t stuck;          /* second acts that could not end for want of data */
	uint64_t events;
};

/* One seed: a storm, then calm. Prints what broke and the seed, and aborts, when a promise is broken. trace: every
 * event on standard error. */
void world_run(uint64_t seed, bool trace, struct world_counts *counts);

/* A whole cluster in one process, in virtual time, from one seed: the replication cores (server/replica), the view
 * manager's core (frontend/views) and the router, with a network that delays, stalls and breaks, disks that lose what
 * was not yet durable, processes that are killed, stopped and started at any moment, and clients that ask until they
 * are answered.
 *
 * It plays the shells' part (server/node.c, recovery.c, service.c, frontend/manager.c ...) and checks after every
 * event, by the disks, the applied operations and the answers that clients got, not by what the cores say of
 * themselves. It refuses to know any rule of replication: nothing here decides what a core should do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a run went through: a storm that tests nothing should fail its test. */
struct world_counts {
	uint64_t runs;
	uint64_t short_runs;     /* with fewer requests than asked for */
	uint64_t done;           /* writes answered DONE */
	uint64_t reads;
	uint64_t refused;
	uint64_t unknown;        /* writes whose clients gave up without knowing */
	uint64_t late_calls;     /* that arrived at a front-end when their clients had given them up */
	uint64_t again;          /* requests that a new process asked for, with an outcome unknown */
	uint64_t decided;        /* of these, how many the log had decided: done, superseded, or other content */
	uint64_t kept;           /* entries that were refused when they were applied */
	uint64_t kept_told;      /* to a repeat */
	uint64_t voids;          /* entries */
	uint64_t voids_of_full;  /* of these, those that the log took when it was full for orders */
	uint64_t voids_refused;  /* because the request had been done */
	uint64_t voids_in_validation; /* a VOID and the request itself, one of them in validation, the other one arrives */
	uint64_t own_voids;      /* requests that ended while their client, in doubt and refused, made its own number void */
	uint64_t told_void;      /* calls of a request that was made nothing */
	uint64_t not_admitted;   /* by the applied state */
	uint64_t admitted_later; /* requests that were done after that */
	uint64_t waits;          /* for the log, to be admitted */
	uint64_t joined;         /* calls that found their request in validation, */
	uint64_t joined_waits;   /* or waiting for the log */
	uint64_t late_validations; /* that ended in a later view */
	uint64_t doubts;         /* that VOID ended in the second act, */
	uint64_t doubts_left;    /* and those that not even that could end: there was no room at all, or too few members */
	uint64_t given_up;       /* answers to calls that the router had given up, their requests waiting to be sent again */
	uint64_t kills;          /* of replicas */
	uint64_t front_kills;
	uint64_t pauses;
	uint64_t breaks;
	uint64_t wipes;
	uint64_t partitions;
	uint64_t full_disks;
	uint64_t full_needs;     /* reports of one that is full for long, or too small */
	uint64_t full_moves;     /* a full primary handed over */
	uint64_t late_clocks;    /* orders dated by one whose clock is far ahead */
	uint64_t failed_writes;
	uint64_t strays;         /* views from nobody we know */
	uint64_t old_directories;
	uint64_t restored;       /* disks, from an old copy */
	uint64_t damaged;        /* disks */
	uint64_t retired;        /* replicas that gave up such data */
	uint64_t second_fronts;
	uint64_t replaced;       /* front-ends that ended because another one took over, */
	uint64_t left_alone;     /* or because another one is there; and bindings refused for that */
	uint64_t unnoticed;      /* runs that ended: an old directory met only what is as old, or an old copy leads */
	uint64_t frozen;         /* replicas left as they were in the second act */
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

struct world_options {
	uint32_t requests;                   /* a first act ends only when so many were answered */
	bool trace;                          /* every line on standard error */
	bool record;                         /* keep the last lines, for a failure */
	void (*on_failure)(uint64_t seed);   /* a run without either failed: should run it again; may be NULL */
};

/* One seed: a storm, then calm; the counts are added to. Returns the hash of everything that happened. When a promise
 * is broken it prints the last lines on standard error and on standard output the seed, the revision and one line
 * "checker: RULE n: what", and exits with 1. */
uint64_t world_run(const struct world_options *options, uint64_t seed, struct world_counts *counts);

/* Who serves a program number at an address: program numbers overlap when two clusters have program bases less than
 * 4,096 apart, and anybody may register a service of another kind among ours. One question to a replica needs no hello,
 * and one to a front-end no rights. It only asks: whether that replica is one of the caller's cluster, the caller
 * knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct identify;

enum identify_kind {
	IDENTIFY_REPLICA,   /* program_base + id is the number asked about */
	IDENTIFY_FRONTEND,  /* of the cluster whose program base the number is */
	IDENTIFY_OTHER,     /* some other service, or something that speaks no RPC */
	IDENTIFY_GONE,      /* the process there does not serve that program: the entry outlived its process */
	IDENTIFY_UNKNOWN    /* nothing answers in time, or it is a version of ours that is not understood here */
};

struct identity_told {
	enum identify_kind kind;
	uint32_t program_base; /* of REPLICA and FRONTEND */
	uint32_t id;           /* of REPLICA */
};

/* Called once, from the loop; the question is freed afterwards. */
typedef void (*identify_fn)(void *context, const struct identity_told *told);

struct identify *identify(struct event_base *base, const char *address, uint32_t program, uint32_t timeout_ms,
			  identify_fn told, void *context);
/* The call-back is not called any more. NULL is fine. */
void identify_cancel(struct identify *identify);

/* The same for a thread that may block. */
void identify_blocking(const char *address, uint32_t program, uint32_t timeout_ms, struct identity_told *told);

/* "replica 3 of the cluster with --program-base 540000100", "a service of another kind". Returns text. */
#define IDENTIFY_TEXT 96
const char *identify_text(const struct identity_told *told, char text[static IDENTIFY_TEXT]);
/* Both in one, for registry_names_others_by; and the options that give a process of ours another number. */
#define PROGRAM_BASE_CHOICE "--program-base (4096 from any other cluster's)"
void identify_name(const char *address, uint32_t program, uint32_t timeout_ms, char who[static IDENTIFY_TEXT]);

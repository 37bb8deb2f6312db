/* Drives the view manager and the router as one: hands each event to the view manager with the time, the floor and
 * whether requests wait, and carries out what it decides, in its order. What concerns the router it does itself: who is
 * linked, who serves, who may serve reads. Everything else it asks of its shell.
 *
 * Pure like the two that it drives: clock, random numbers, connections and disk are call-backs. */
#pragma once

#include "frontend/views/views.h"

struct driver;
struct router;

/* Call-backs; none may call the driver. What they are given is borrowed for the call. */
struct driver_shell {
	void (*clock)(void *context, uint64_t *now_ms, int64_t *wall_us);
	struct uuid (*draw)(void *context);
	void (*decided)(void *context); /* actions follow; may be NULL */

	/* Format and program base of `me` are the shell's to fill in. */
	void (*connect)(void *context, uint32_t id, const char *address, const struct identity *me);
	void (*disconnect)(void *context, uint32_t id);
	void (*heartbeat)(void *context, uint32_t id, uint64_t view, bool retire);
	void (*store)(void *context, uint64_t ticket, const struct views_stored *stored);
	void (*install)(void *context, uint32_t id, const struct view *view);
	void (*bind)(void *context, uint32_t id, struct uuid manager);
	/* Before the router hears of it; may be NULL. */
	void (*serves)(void *context, uint32_t id, uint64_t view, uint64_t commit);
	void (*forgets_floor)(void *context);
	void (*answer)(void *context, uint64_t token, enum views_outcome outcome, const char *text);
	void (*clean)(void *context, uint32_t id, const char *address);
	void (*log)(void *context, int level, const char *text); /* enum log_level */
	void (*leave)(void *context, const char *text);

	/* The last of a step: a TICK is due then. UINT64_MAX: none. */
	void (*deadline)(void *context, uint64_t deadline_ms, uint64_t now_ms);
};

/* views and router are borrowed until driver_free. */
struct driver *driver_new(struct views *views, struct router *router, struct uuid incarnation,
			  const struct driver_shell *shell, void *context);
void driver_free(struct driver *driver); /* NULL is fine */

/* One event, of which kind and arm are given. The view manager is first told whether requests wait. */
void driver_step(struct driver *driver, const struct views_event *event);
/* The router says that requests wait; nothing before START. */
void driver_demand(struct driver *driver);

/* Events that the router hears of, too. */
void driver_hello(struct driver *driver, const struct views_hello *hello);
void driver_report(struct driver *driver, uint32_t id, const struct report *report);
void driver_bound(struct driver *driver, uint32_t id, const struct report *report);
void driver_lost(struct driver *driver, uint32_t id, bool refused);

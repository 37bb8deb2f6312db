#include "server/memory_watch.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc/base/clock.h"
#include "rpc/base/log.h"
#include "server/memory_holder.h"

#define LOOK_EVERY_US 1000000u
#define WARN_AFTER_US 30000000u /* who waits for his children now and then has done so by then */
#define NAME_SIZE 32

/* Of /proc/PID/stat: its name, its state, its parent. */
static bool read_process(const char *pid, char name[static NAME_SIZE], char *state, long *parent)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);

	FILE *file = fopen(path, "re");
	bool read = file != NULL && fscanf(file, "%*d (%31[^)]) %c %ld", name, state, parent) == 3;

	if (file != NULL)
		fclose(file);
	return read;
}

/* Who would get ours: somebody from here up to process 1. Other containers have a process 1 of their own. */
static bool is_ancestor(long process)
{
	char name[NAME_SIZE], number[24], state;
	long at = getppid();

	while (process != 1 && at != process && at > 1) {
		snprintf(number, sizeof number, "%ld", at);
		if (!read_process(number, name, &state, &at))
			return false;
	}
	return process == 1 || at == process; /* who was sent in from outside has no parent here */
}

static bool is_left(const char *pid)
{
	char name[NAME_SIZE], state;
	long parent;

	return read_process(pid, name, &state, &parent) && strcmp(name, MEMORY_HOLDER_NAME) == 0 && state == 'Z' &&
	       is_ancestor(parent);
}

/* A jh-memory that has ended and that no parent has waited for; 0: none. */
static long left_behind(void)
{
	DIR *processes = opendir("/proc");
	long found = 0;

	if (processes == NULL)
		return 0;
	for (struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;)
		if (isdigit((unsigned char)entry->d_name[0]) && is_left(entry->d_name))
			found = strtol(entry->d_name, NULL, 10);
	closedir(processes);
	return found;
}

static void begin(struct memory_watch *watch)
{
	long left = left_behind();

	if (left == 0) {
		watch->holder = memory_holder_start();
		watch->warned = watch->holder < 0; /* it has said why, and is not asked again */
	} else if (rpc_clock_us() - watch->since_us > WARN_AFTER_US) {
		log_warn("node", "process %ld (" MEMORY_HOLDER_NAME ") of a killed replica is left, because process 1 does not wait for "
			 "it: no second one is begun; if this replica is killed, failover takes longer. Give the container "
			 "an init (docker run --init)", left);
		watch->warned = true;
	}
}

void memory_watch_start(struct memory_watch *watch)
{
	*watch = (struct memory_watch){.holder = -1, .since_us = rpc_clock_us()};
	watch->again_us = watch->since_us + LOOK_EVERY_US;
	begin(watch);
}

void memory_watch_tick(struct memory_watch *watch)
{
	uint64_t now_us = rpc_clock_us();

	if (now_us < watch->again_us)
		return;
	watch->again_us = now_us + LOOK_EVERY_US;
	if (watch->holder > 0 && waitpid(watch->holder, NULL, WNOHANG) == watch->holder) {
		log_warn("node", MEMORY_HOLDER_NAME " was killed: beginning another");
		watch->holder = -1;
		watch->since_us = now_us;
		begin(watch);
	} else if (watch->holder < 0 && !watch->warned) {
		begin(watch);
	}
}

void memory_watch_stop(struct memory_watch *watch)
{
	memory_holder_stop(watch->holder);
	watch->holder = -1;
}

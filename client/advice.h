/* The commands that people are told to type: one function writes them all, so that each can be pasted into a POSIX shell
 * (or, those of `justhungry`, into our own) and asks the same cluster in the same way. */
#pragma once

#include "client/command.h"

struct advice;

/* `justhungry COMMAND` with every global option that matters: whatever is not as it is without options and without
 * environment, and what the environment sets, as the next shell may have another one. */
struct advice *advice_client(const struct client_options *options, const char *command);

/* `justhungry-server` or `justhungry-frontend`, with the cluster's program base. */
struct advice *advice_daemon(const struct client_options *options, const char *program);

/* " --name value"; with a NULL value " --name". */
void advice_option(struct advice *advice, const char *name, const char *value);

/* What stands behind the options; the first that begins with a hyphen puts "--" before them all. */
void advice_word(struct advice *advice, const char *word);

/* The command, to be freed; frees the advice. */
char *advice_take(struct advice *advice);

/* For what needs no more: advice_client and advice_take. */
char *advice_command(const struct client_options *options, const char *command);

/* A copy of a line that another process wrote, to be freed: where it names a command of `justhungry`, which that process
 * cannot know how to reach it from here, the command is completed as advice_client would. */
char *advice_complete(const struct client_options *options, const char *line);

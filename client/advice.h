/* The commands that people are advised to type. One function writes them all, so that each can be pasted into a POSIX
 * shell (or, those of `justhungry`, into our own) and reaches the same cluster in the same way. */
#pragma once

#include "client/command.h"
#include "rpc/base/uuid.h"

struct advice;

/* `justhungry COMMAND` with every global option that matters: each one that differs from the default, including those
 * that the environment sets, because the next shell may have another environment. */
struct advice *advice_client(const struct client_options *options, const char *command);

/* `justhungry-server` or `justhungry-frontend`, with the cluster's program base. */
struct advice *advice_daemon(const struct client_options *options, const char *program);

/* " --name value"; with a NULL value " --name". */
void advice_option(struct advice *advice, const char *name, const char *value);

/* " --client-id UUID --request N". */
void advice_request(struct advice *advice, struct uuid client, uint64_t request);

/* An operand, placed after the options; the first one that begins with a hyphen puts "--" before them all. */
void advice_word(struct advice *advice, const char *word);

/* The command, to be freed; frees the advice. */
char *advice_take(struct advice *advice);

/* advice_client and advice_take in one, for a command without further words. */
char *advice_command(const struct client_options *options, const char *command);

/* A copy of a line that another process wrote, to be freed. Where the line names a command of `justhungry`, that
 * process cannot know the options that reach it from here, so the command is completed as advice_client would. */
char *advice_complete(const struct client_options *options, const char *line);

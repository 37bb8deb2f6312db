/* The signals that end a command. Each is only noted; whoever waits looks at a descriptor beside what it waits for, ends
 * the request under way with its true outcome, and the command returns as always: so every way out of a command prints
 * the truth and ends with a documented status. What nobody can note, SIGKILL and SIGSTOP, is left alone, and so is what
 * stops a job (SIGTSTP).
 *
 * It holds state of the process, because signals are the process's. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* From now on every signal that would end the process is noted instead. Idempotent. A SIGHUP that was ignored stays so
 * (nohup). Ends the process with one line when the system has no descriptor left. */
void interrupt_catch(void);

/* The first signal noted, or 0. */
int interrupt_signal(void);

/* "SIGTERM"; only when there is one. */
const char *interrupt_name(void);

/* Readable once a signal has come, until interrupt_take or interrupt_forget; never 0 to 2. */
int interrupt_fd(void);

/* Makes the descriptor wait for the next signal; what was noted stays noted. */
void interrupt_take(void);

/* What was noted has been dealt with. */
void interrupt_forget(void);

/* While nothing is under way (at the shell's prompt) signals end the process as they end any. False when one had been
 * noted: then nothing is to be waited for. interrupt_catch goes back. */
bool interrupt_rest(void);

/* Reads from fd like a file of stdio's, but a signal ends the wait: then reading fails with EINTR. To be closed with
 * fclose, which leaves fd open. */
FILE *interrupt_reader(int fd);

/* What to say on standard error, beside the system's own word, should the program crash or run out of memory once
 * something may have left it: NULL for nothing. Kept until the next call, which also begins anew. */
void interrupt_last_words(const char *words);
void interrupt_may_have_left(void);

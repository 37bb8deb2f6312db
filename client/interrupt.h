/* The signals that end a command. A handler only notes the signal. The waiting code polls a descriptor besides its
 * own, ends the request under way with its true outcome, and the command returns normally; so every way out of a
 * command prints the truth and ends with a documented status. SIGKILL and SIGSTOP cannot be caught, and job control
 * (SIGTSTP) is left alone.
 *
 * The state is that of the process, because signals are. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* From now on every signal that would end the process is noted instead. Idempotent. An ignored SIGHUP (nohup) stays
 * ignored. Ends the process with one line when the system has no descriptor left. */
void interrupt_catch(void);

/* The first noted signal, or 0. */
int interrupt_signal(void);

/* "SIGTERM"; only call when a signal was noted. */
const char *interrupt_name(void);

/* Readable once a signal was noted, until interrupt_take or interrupt_forget; never 0 to 2. */
int interrupt_fd(void);

/* Makes the descriptor wait for the next signal; the noted one stays noted. */
void interrupt_take(void);

/* The noted signal has been handled. */
void interrupt_forget(void);

/* While nothing is under way (at the shell's prompt), signals end the process as usual. False when a signal had
 * already been noted: then do not wait. interrupt_catch reverts this. */
bool interrupt_rest(void);

/* A stdio stream that reads from fd, except that a signal ends the wait: reading then fails with EINTR. Close with
 * fclose, which leaves fd open. */
FILE *interrupt_reader(int fd);

/* The text for standard error, besides the system's message, should the program crash or run out of memory after a
 * request may have left; NULL for none. Kept until the next call, which also resets this state. */
void interrupt_last_words(const char *words);
void interrupt_may_have_left(void);

/* What this process says on its standard error, for tests of what is logged. */
#pragma once

/* From here on it goes into memory, not to whoever runs the test. */
void listen_to_log(void);
/* All that was said since; valid until the next call. */
const char *log_text(void);
/* How often the text stands in it. */
unsigned lines_with(const char *text);
/* Fails the test when the text does not stand in it. */
void assert_said(const char *text);
/* Also a tear-down of a test, whether it listens or not; the text is gone. */
int stop_listening(void **state);

/* For tests of a program's command line. */
#pragma once

typedef void (*parse_fn)(int argc, char **argv);

/* arguments: without the program's name, up to a NULL. */
void arguments_given(parse_fn parse, const char *const *arguments);
/* In a child: the program ends with status 2, and `named` stands in what it says. */
void arguments_refused(parse_fn parse, const char *const *arguments, const char *named);

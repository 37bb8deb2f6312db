#include "client/advice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/environment.h"
#include "client/text.h"
#include "rpc/base/must.h"
#include "rpc/base/shortage.h"
#include "rpc/base/utf8.h"

struct advice {
	FILE *options, *words;
	char *options_text, *words_text;
	size_t options_size, words_size;
	bool hyphen; /* the word would be taken for an option */
};

/* A word that a terminal cannot show, or that is not text, is written in octal, which the printf of every POSIX shell
 * reads. */
static void put_word(FILE *out, const char *word)
{
	char *quoted;

	if (utf8_valid_text(word, strlen(word))) {
		quoted = text_shell_quote(word);
		fputs(quoted, out);
		free(quoted);
		return;
	}
	fputs("\"$(printf '", out);
	for (; *word != '\0'; word++)
		fprintf(out, "\\%03o", (unsigned int)(unsigned char)*word);
	fputs("')\"", out);
}

static struct advice *begin(const char *program)
{
	struct advice *advice = calloc(1, sizeof *advice);

	must_allocate(advice);
	advice->options = open_memstream(&advice->options_text, &advice->options_size);
	advice->words = open_memstream(&advice->words_text, &advice->words_size);
	must_allocate(advice->options);
	must_allocate(advice->words);
	fputs(program, advice->options);
	return advice;
}

void advice_option(struct advice *advice, const char *name, const char *value)
{
	fprintf(advice->options, " --%s", name);
	if (value == NULL)
		return;
	fputc(' ', advice->options);
	put_word(advice->options, value);
}

void advice_request(struct advice *advice, struct uuid client, uint64_t request)
{
	char number[24], uuid[UUID_TEXT_SIZE];

	snprintf(number, sizeof number, "%" PRIu64, request);
	advice_option(advice, "client-id", uuid_format(client, uuid));
	advice_option(advice, "request", number);
}

void advice_word(struct advice *advice, const char *word)
{
	advice->hyphen |= word[0] == '-';
	fputc(' ', advice->words);
	put_word(advice->words, word);
}

static void add_program_base(struct advice *advice, const struct client_options *options)
{
	char number[16];

	snprintf(number, sizeof number, "%" PRIu32, options->program_base);
	advice_option(advice, "program-base", number);
}

/* Not %g, which rounds, and follows the locale. */
static void add_timeout(struct advice *advice, uint32_t timeout_ms)
{
	char seconds[32];

	if (timeout_ms % 1000 != 0)
		snprintf(seconds, sizeof seconds, "%" PRIu32 ".%03" PRIu32, timeout_ms / 1000, timeout_ms % 1000);
	else
		snprintf(seconds, sizeof seconds, "%" PRIu32, timeout_ms / 1000);
	advice_option(advice, "timeout", seconds);
}

static void add_globals(struct advice *advice, const struct client_options *options)
{
	const struct client_options usual = client_options_default();

	if (strcmp(options->frontend, usual.frontend) != 0 || environment_value(ENVIRONMENT_FRONTEND) != NULL)
		advice_option(advice, "frontend", options->frontend);
	if (options->program_base != usual.program_base || environment_value(ENVIRONMENT_PROGRAM_BASE) != NULL)
		add_program_base(advice, options);
	if (options->timeout_ms != usual.timeout_ms)
		add_timeout(advice, options->timeout_ms);
	if (options->json)
		advice_option(advice, "json", NULL);
}

struct advice *advice_client(const struct client_options *options, const char *command)
{
	struct advice *advice = begin("justhungry ");

	/* The options stand behind the command's name, so that our own shell accepts the line, too. */
	fputs(command, advice->options);
	add_globals(advice, options);
	return advice;
}

struct advice *advice_daemon(const struct client_options *options, const char *program)
{
	struct advice *advice = begin(program);

	if (options->program_base != PROGRAM_BASE_DEFAULT)
		add_program_base(advice, options);
	return advice;
}

char *advice_take(struct advice *advice)
{
	char *command = NULL;

	/* A memory stream that ran out of memory has lost output. */
	if (fclose(advice->options) != 0 || fclose(advice->words) != 0 ||
	    asprintf(&command, "%s%s%s", advice->options_text, advice->hyphen ? " --" : "", advice->words_text) < 0)
		shortage_of_memory(__func__);
	free(advice->options_text);
	free(advice->words_text);
	free(advice);
	return command;
}

char *advice_command(const struct client_options *options, const char *command)
{
	return advice_take(advice_client(options, command));
}

/* The command in `line` after "justhungry ", or NULL. */
static const char *named(const char *line)
{
	for (const struct command *command = commands; command->name; command++) {
		size_t length = strlen(command->name);

		if (strncmp(line, command->name, length) == 0 && strchr(" `", line[length]) != NULL /* or its end */)
			return command->name;
	}
	return NULL;
}

char *advice_complete(const struct client_options *options, const char *line)
{
	static const char program[] = "justhungry ";
	char *out = NULL;
	size_t size;
	FILE *to = open_memstream(&out, &size);

	must_allocate(to);
	for (const char *at; (at = strstr(line, program)) != NULL;) {
		const char *command = named(at + strlen(program));

		fwrite(line, 1, (size_t)(at - line), to);
		line = at + strlen(program);
		if (command == NULL) {
			fputs(program, to);
			continue;
		}
		char *whole = advice_command(options, command);

		fputs(whole, to);
		free(whole);
		line += strlen(command);
	}
	fputs(line, to);
	if (fclose(to) != 0)
		shortage_of_memory(__func__);
	return out;
}

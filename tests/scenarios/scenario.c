/* Plays one scenario file and compares the trace with what the file expects.
 *
 * A file is comments (#), and blocks: lines of commands, a line "----", the expected trace up to an empty line. A block
 * that differs is shown as a diff; the exit status is 1 then, 2 when the file makes no sense. With --rewrite the file's
 * expectations become what happened: to be read as a diff before they are believed. */
#include "tests/scenarios/stage.h"

#include <stdio.h>
#include <string.h>

#define LINES_MAX 4096
#define LINE_MAX 512

struct lines {
	char *line[LINES_MAX];
	uint32_t count;
};

static void lines_add(struct lines *lines, const char *text, size_t size)
{
	must(lines->count < LINES_MAX);
	lines->line[lines->count++] = strndup(text, size);
}

static void lines_free(struct lines *lines)
{
	for (uint32_t i = 0; i < lines->count; i++)
		free(lines->line[i]);
	lines->count = 0;
}

static void lines_split(struct lines *lines, const char *text)
{
	while (*text != 0) {
		size_t size = strcspn(text, "\n");

		lines_add(lines, text, size);
		text += size;
		text += *text == '\n';
	}
}

/* --- a diff: the longest common part stays ------------------------------------------------------------------------ */

static void print_diff(const struct lines *old, const struct lines *new)
{
	uint32_t width = new->count + 1;
	uint32_t *common = stage_alloc(sizeof *common * (old->count + 1) * width);
	uint32_t i = 0, j = 0;

	for (uint32_t a = old->count; a-- > 0;) {
		for (uint32_t b = new->count; b-- > 0;) {
			uint32_t skip_old = common[(a + 1) * width + b], skip_new = common[a * width + b + 1];

			if (strcmp(old->line[a], new->line[b]) == 0)
				common[a * width + b] = common[(a + 1) * width + b + 1] + 1;
			else
				common[a * width + b] = skip_old > skip_new ? skip_old : skip_new;
		}
	}
	while (i < old->count || j < new->count) {
		if (i < old->count && j < new->count && strcmp(old->line[i], new->line[j]) == 0) {
			printf("  %s\n", old->line[i++]);
			j++;
		} else if (j == new->count ||
			   (i < old->count && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
			printf("- %s\n", old->line[i++]);
		} else {
			printf("+ %s\n", new->line[j++]);
		}
	}
	free(common);
}

static bool lines_equal(const struct lines *a, const struct lines *b)
{
	bool equal = a->count == b->count;

	for (uint32_t i = 0; equal && i < a->count; i++)
		equal = strcmp(a->line[i], b->line[i]) == 0;
	return equal;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

struct play {
	struct stage stage;
	struct lines file;
	uint32_t at;
	FILE *rewritten;     /* NULL: compare */
	const char *name;
	uint32_t blocks, differences;
};

static bool is_command(const char *line)
{
	return line[0] != '#' && line[0] != 0;
}

static void keep(struct play *play, const char *line)
{
	if (play->rewritten != NULL)
		fprintf(play->rewritten, "%s\n", line);
}

static void do_block(struct play *play)
{
	struct lines expected = {.count = 0}, got = {.count = 0};
	uint32_t first = play->at;

	play->stage.out.size = 0;
	while (play->at < play->file.count && strcmp(play->file.line[play->at], "----") != 0) {
		const char *line = play->file.line[play->at++];

		keep(play, line);
		if (is_command(line))
			stage_command(&play->stage, line);
	}
	play->at++;
	while (play->at < play->file.count && play->file.line[play->at][0] != 0)
		lines_add(&expected, play->file.line[play->at], strlen(play->file.line[play->at])), play->at++;
	lines_split(&got, play->stage.out.size > 0 ? play->stage.out.bytes : "nothing happens\n");
	keep(play, "----");
	for (uint32_t i = 0; i < got.count; i++)
		keep(play, got.line[i]);
	play->blocks++;
	if (play->rewritten == NULL && !lines_equal(&expected, &got)) {
		play->differences++;
		printf("%s:%u: %s\n", play->name, first + 1, play->file.line[first]);
		print_diff(&expected, &got);
	}
	lines_free(&expected);
	lines_free(&got);
}

static void read_file(struct play *play)
{
	char line[LINE_MAX];
	FILE *file = fopen(play->name, "r");

	if (file == NULL) {
		perror(play->name);
		exit(2);
	}
	while (fgets(line, sizeof line, file) != NULL)
		lines_add(&play->file, line, strcspn(line, "\n"));
	fclose(file);
}

static void write_file(const struct play *play, const char *text, size_t size)
{
	FILE *file = fopen(play->name, "w");

	if (file == NULL || fwrite(text, 1, size, file) != size || fclose(file) != 0) {
		perror(play->name);
		exit(2);
	}
}

/* A broken invariant of a core: what led to it. */
static void dump(void *context)
{
	const struct play *play = context;

	if (play->stage.out.size > 0)
		fprintf(stderr, "%s:%u, in this block so far:\n%s", play->name, play->at, play->stage.out.bytes);
}

static bool play_file(const char *name, bool rewrite)
{
	struct play *play = stage_alloc(sizeof *play);
	char *text = NULL;
	size_t size = 0;
	bool same;

	play->name = name;
	read_file(play);
	stage_init(&play->stage);
	must_on_failure(dump, play);
	if (rewrite)
		play->rewritten = open_memstream(&text, &size);
	while (play->at < play->file.count) {
		if (is_command(play->file.line[play->at]))
			do_block(play);
		else
			keep(play, play->file.line[play->at++]);
	}
	must_on_failure(NULL, NULL);
	if (rewrite) {
		fclose(play->rewritten);
		write_file(play, text, size);
		free(text);
	}
	must(play->blocks > 0);
	same = play->differences == 0;
	stage_free(&play->stage);
	lines_free(&play->file);
	free(play);
	return same;
}

int main(int argc, char **argv)
{
	bool rewrite = argc > 1 && strcmp(argv[1], "--rewrite") == 0;
	bool same = true;

	if (argc < (rewrite ? 3 : 2)) {
		fprintf(stderr, "usage: scenario [--rewrite] FILE...\n");
		return 2;
	}
	for (int i = rewrite ? 2 : 1; i < argc; i++)
		same = play_file(argv[i], rewrite) && same;
	return same ? 0 : 1;
}

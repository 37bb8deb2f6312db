/* justhungry-server: one replica. */
#include <argp.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rpc/base/log.h"
#include "rpc/base/must.h"
#include "rpc/program/process.h"
#include "rpc/program/standard_output.h"
#include "server/disk/check.h"
#include "server/disk/journal.h"
#include "server/memory_watch.h"
#include "server/node.h"
#include "server/options.h"

static void trace_line(void *context, const char *text)
{
	(void)context;
	log_plain(STDERR_FILENO, "  %s", text);
}

static void dump_trace(void *context)
{
	log_plain(STDERR_FILENO, "what this replica last did:");
	node_trace_dump(context, trace_line, NULL);
}

/* After giving up its uuid a replica starts afresh, in a new process image, because recovery is the tested path. */
static int start_again(char **argv)
{
	log_flush();
	execv("/proc/self/exe", argv);
	log_error("node", "cannot start again: %s: start justhungry-server by hand", strerror(errno));
	return 1;
}

const char *argp_program_version = "justhungry-server " JH_VERSION;

int main(int argc, char **argv)
{
	struct server_options options;
	struct memory_watch memory;

	process_begin(PROCESS_DAEMON, "node");
	standard_output_watch("justhungry-server", STANDARD_OUTPUT_UNWRITTEN);
	server_options_parse(argc, argv, &options);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (options.check != NULL)
		return check_directory(options.check, options.node.orders_max, options.check_json);
	process_serve("node", options.node.segment_bytes != 0 ? options.node.segment_bytes : JOURNAL_SEGMENT_BYTES);

	memory_watch_start(&memory);
	log_start();

	options.node.memory = &memory;

	struct node *node = node_new(&options.node);

	must_on_failure(dump_trace, node);

	int status = node_run(node);

	must_on_failure(NULL, NULL);
	node_free(node);
	memory_watch_stop(&memory);
	curl_global_cleanup();
	return status == NODE_START_AGAIN ? start_again(argv) : status;
}

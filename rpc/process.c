#include "rpc/process.h"

#include <signal.h>
#include <sys/resource.h>

#define DESCRIPTORS 8192 /* libtirpc sizes tables by the limit: not more */

void process_set_limits(void)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

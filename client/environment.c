#include "client/environment.h"

#include <stdio.h>
#include <stdlib.h>

const char *environment_value(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

void environment_read(struct client_options *options)
{
	const char *frontend = environment_value(ENVIRONMENT_FRONTEND), *base = environment_value(ENVIRONMENT_PROGRAM_BASE);
	uint64_t number;

	if (frontend != NULL) {
		options->frontend = frontend;
		options->frontend_from_environment = true;
	}
	if (base != NULL)
		options->program_base = arguments_is_number(base, 1, PROGRAM_BASE_MAX, &number) ? (uint32_t)number : 0;
}

bool environment_check(const struct client_options *options, char *error, size_t error_size)
{
	if (options->frontend_from_environment && !command_is_host(options->frontend)) {
		snprintf(error, error_size, ENVIRONMENT_FRONTEND " in the environment is neither a host nor a HOST:PORT: "
			 "set it right, unset it, or give --frontend");
		return false;
	}
	if (options->program_base == 0) {
		snprintf(error, error_size, ENVIRONMENT_PROGRAM_BASE " in the environment is not a whole number from 1 to %u: "
			 "set it right, unset it, or give --program-base", PROGRAM_BASE_MAX);
		return false;
	}
	return true;
}

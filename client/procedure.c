#include "client/procedure.h"

static enum attempt classify_place(const void *result, struct answer_why *why, char *error, size_t error_size)
{
	return answer_write(result, why, error, error_size);
}

static enum attempt classify_read(const void *result, struct answer_why *why, char *error, size_t error_size)
{
	return answer_read(result, why, error, error_size);
}

static enum attempt classify_admin(const void *result, struct answer_why *why, char *error, size_t error_size)
{
	(void)why;
	return answer_admin(result, error, error_size);
}

static enum attempt classify_status(const void *result, struct answer_why *why, char *error, size_t error_size)
{
	(void)result;
	(void)why;
	(void)error;
	(void)error_size;
	return ATTEMPT_DONE;
}

static void send_place(void *args, uint32_t timeout_ms, CLIENT *client)
{
	((jh_place_args *)args)->timeout_ms = timeout_ms;
	place_order_2(args, NULL, client);
}

static void send_read(void *args, uint32_t timeout_ms, CLIENT *client)
{
	((jh_read_args *)args)->timeout_ms = timeout_ms;
	read_history_2(args, NULL, client);
}

/* An operator's request, which waits as long as the front-end needs. */
#define SEND_OPERATOR(name)                                                      \
	static void send_##name(void *args, uint32_t timeout_ms, CLIENT *client) \
	{                                                                        \
		(void)timeout_ms;                                                \
		name##_2(args, NULL, client);                                    \
	}
SEND_OPERATOR(switchover)
SEND_OPERATOR(promote)
SEND_OPERATOR(remove)
SEND_OPERATOR(upgrade)

static void send_status(void *args, uint32_t timeout_ms, CLIENT *client)
{
	(void)timeout_ms;
	cluster_status_2(args, NULL, client);
}

/* clang-format off */
#define PROCEDURE(name, type, classify) {send_##name, (xdrproc_t)xdr_##type, sizeof(struct type), classify}
/* clang-format on */
const struct procedure procedure_place = PROCEDURE(place, jh_write_result, classify_place);
const struct procedure procedure_read = PROCEDURE(read, jh_read_result, classify_read);
const struct procedure procedure_switchover = PROCEDURE(switchover, jh_admin_result, classify_admin);
const struct procedure procedure_promote = PROCEDURE(promote, jh_admin_result, classify_admin);
const struct procedure procedure_remove = PROCEDURE(remove, jh_admin_result, classify_admin);
const struct procedure procedure_upgrade = PROCEDURE(upgrade, jh_admin_result, classify_admin);
const struct procedure procedure_status = PROCEDURE(status, jh_cluster_status, classify_status);
